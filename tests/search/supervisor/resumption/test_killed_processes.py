"""Trainings whose process or supervisor was killed go on from their checkpoint: real processes, no Keras."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.search.checkpointed_trials import EPOCHS, StubTraining
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor.outage_fixture import wait_until
from tests.search.supervisor.resumption.checkpointed_runs import UNTIMED, WHOLE, curve, has_checkpoint, left, trained
from tests.search.supervisor_fixture import is_running
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import queue

pytestmark = [pytest.mark.usefixtures("fork_server"), pytest.mark.timeout(60)]


def test_a_killed_supervisors_training_goes_on(make_fixture: MakeFixture, tmp_path: Path) -> None:
    lines = [
        "from pathlib import Path",
        "from tests.search.checkpointed_trials import StubTraining, follow_with_checkpoints",
        "from tests.search.supervisor_fixture import SupervisorFixture, make_spec",
        f"spec = make_spec(trials=1, objectives={UNTIMED!r}, training={{'epochs': {EPOCHS}, 'time_limit': 1e4}})",
        "plan = {0: StubTraining(stops_after=(3,))}",
        f"folder = Path({str(tmp_path)!r})",
        "SupervisorFixture(folder, spec, plan, trains=follow_with_checkpoints).run()",
    ]
    supervisor = subprocess.Popen([sys.executable, "-c", "\n".join(lines)])
    fixture = make_fixture()
    try:
        wait_until(lambda: has_checkpoint(fixture, 3))
    finally:
        supervisor.kill()
        supervisor.wait()
    pids = [int(path.stem.split("-")[1]) for path in tmp_path.glob("notes/*.pid")]
    wait_until(lambda: not any(is_running(pid) for pid in pids))
    assert queue.sweep(fixture.study, ["anna"]) == [0]
    assert fixture.run() is Ending.DONE
    assert (curve(fixture), trained(fixture)) == (WHOLE, [1, 2, 3, 4, 5, 6])
    assert [part.ending for part in fixture.trials()[0].parts] == ["lost", "complete"]


# A process that is killed


def test_a_killed_process_is_tried_once_more_from_its_checkpoint(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTraining(stops_after=(3,), how="die")})
    assert fixture.run() is Ending.DONE
    why = "killed from outside (signal 9): most likely the machine ran out of memory"
    assert fixture.view.lines[:2] == [
        f"trial 0: {why}; it is tried once more, from its checkpoint",
        "trial 0 goes on after epoch 3 of 6",
    ]
    (trial,) = fixture.trials()
    assert (curve(fixture), trained(fixture), trial.state) == (WHOLE, [1, 2, 3, 4, 5, 6], "complete")
    assert [(part.ending, part.reason) for part in trial.parts] == [("killed", why), ("complete", "")]


@pytest.mark.parametrize(
    ("training", "reason", "n_attempts"),
    [
        (StubTraining(stops_after=(3, 5), how="die"), "killed from outside (signal 9): most likely the machine ran "
         "out of memory, for the second time", 2),
        (StubTraining(stops_after=(3,), how="die", has_checkpoints=False), "killed from outside (signal 9): most "
         "likely the machine ran out of memory", 1),
        (StubTraining(stops_after=(3,), how="crash"), "crashed with SIGSEGV", 1),
    ],
)  # fmt: skip
def test_a_process_fails_when_it_is_killed_again_or_has_no_checkpoint(
    make_fixture: MakeFixture, training: StubTraining, reason: str, n_attempts: int
) -> None:
    fixture = make_fixture({0: training}, max_failures=0)
    assert fixture.run() is Ending.TOO_MANY_FAILURES
    (trial,) = fixture.trials()
    assert (trial.state, trial.reason, trial.n_attempts) == ("failed", reason, n_attempts)
    assert left(fixture) == []
