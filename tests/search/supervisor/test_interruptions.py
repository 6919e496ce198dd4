"""Supervisors that are interrupted or killed, and trials that others take over or end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from tests.search.stub_trials import StubTrial
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor_fixture import SupervisorFixture, is_running, make_spec
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.system.signals import interruptible
from tunefront.storage import queue
from tunefront.storage.database.connection import open_store
from tunefront.storage.database.locks import StoreError
from tunefront.storage.outcomes import Outcome

pytestmark = pytest.mark.usefixtures("fork_server")


def test_a_signal_prints_nothing_in_the_middle_of_a_line(make_fixture: MakeFixture) -> None:
    view = make_fixture().view
    with interruptible(view.say) as is_interrupted:
        assert not is_interrupted()
        os.kill(os.getpid(), signal.SIGTERM)
        assert view.lines == []
        assert is_interrupted()
        assert is_interrupted()
    assert view.lines == ["stopping: running trials go back to the queue ..."]


def test_an_interruption_gives_trials_back_and_another_supervisor_finishes_them(make_fixture: MakeFixture) -> None:
    plan = {2: StubTrial("hang once"), 3: StubTrial("hang once")}
    first = make_fixture(plan, n_slots=2)
    ending = first.run(lambda: all((first.out / "models" / f".partial-{n}.hung").exists() for n in (2, 3)))
    assert ending is Ending.INTERRUPTED
    assert first.states() == ["complete", "complete", "waiting", "waiting"]
    assert [trial.reason for trial in first.trials()[2:]] == ["interrupted"] * 2
    assert first.living_trials() == []
    parameters = [trial.parameters for trial in first.trials()]

    second = make_fixture(plan, n_slots=2)
    second.worker_id = "bert"
    assert second.run() is Ending.DONE
    assert second.states() == ["complete"] * 4
    assert [trial.parameters for trial in second.trials()] == parameters
    assert [trial.n_attempts for trial in second.trials()] == [1, 1, 2, 2]
    assert [trial.worker_id for trial in second.trials()] == ["anna", "anna", "bert", "bert"]
    assert [len(trial.epochs) for trial in second.trials()] == [3, 3, 3, 3]


def test_a_trial_that_a_signal_to_the_whole_group_ends_goes_back(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTrial("exit silently")})
    # The signal comes to the supervisor as its trial ends.
    is_over = lambda: any(fixture.notes.glob("*.pid")) and not fixture.living_trials()  # noqa: E731
    assert fixture.run(is_over) is Ending.INTERRUPTED
    assert fixture.states() == ["waiting"]
    assert fixture.living_trials() == []


def test_an_interruption_before_the_first_trial_starts_nothing(make_fixture: MakeFixture) -> None:
    fixture = make_fixture()
    assert fixture.run(lambda: True) is Ending.INTERRUPTED
    assert fixture.trials() == []


def test_a_late_result_is_refused_when_the_trial_was_taken_over(make_fixture: MakeFixture) -> None:
    fixture = make_fixture({0: StubTrial(pause_seconds=0.2)}, trials=1)
    study = fixture.study

    def take_over() -> bool:
        """Let another worker, which takes this one for dead, sweep its trial and lease it."""
        if fixture.trials() and fixture.trials()[0].epochs and fixture.trials()[0].n_attempts == 1:
            queue.sweep(study, ["anna"])
            with fixture.store.exclusively():
                assert queue.lease_next(study, 1, "bert", "cpu0")
        return any("refused" in line for line in fixture.view.lines)

    assert fixture.run(take_over) is Ending.INTERRUPTED
    refused = "trial 0: result refused: another worker has taken the trial over, or a person ended it"
    assert refused in fixture.view.lines
    (trial,) = fixture.trials()
    assert (trial.state, trial.worker_id, trial.n_attempts) == ("running", "bert", 2)
    assert trial.epochs == []
    assert fixture.kept_models() == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("pruner", ["median", "successive_halving", "hyperband"])
def test_optunas_pruners_leave_alone_what_another_worker_has_finished(make_fixture: MakeFixture, pruner: str) -> None:
    """If a supervisor slept past its lease, halving would write to the trial, which Optuna refuses with an error."""
    fixture = make_fixture(
        {0: StubTrial(pause_seconds=0.4)},
        trials=1,
        objectives={"accuracy": "accuracy", "memory": False, "time": False},
        pruner={"name": pruner},
    )
    study = fixture.study
    is_taken = False

    def taken_over() -> bool:
        nonlocal is_taken
        if not is_taken and fixture.living_trials():
            is_taken = True
            assert queue.sweep(study, ["anna"]) == [0]
            with fixture.store.exclusively():
                leased = queue.lease_next(study, 1, "bert", "cpu0")
            assert leased is not None
            queue.finish(study, leased[0], Outcome.COMPLETE, values=[0.9])
        return False

    assert fixture.run(taken_over) is Ending.DONE
    assert any("result refused" in line for line in fixture.view.lines)
    assert (fixture.states(), fixture.trials()[0].worker_id) == (["complete"], "bert")


def test_a_trial_that_a_person_ends_before_it_has_started_is_left_alone(
    make_fixture: MakeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixture = make_fixture(trials=1)
    lease_next = queue.lease_next

    def told_at_once(*arguments: Any, **options: Any) -> Any:
        leased = lease_next(*arguments, **options)
        if leased is not None:
            fixture.study.optuna.tell(leased[0].number, [0.9, 1.0, 0.1])
        return leased

    monkeypatch.setattr(queue, "lease_next", told_at_once)
    assert fixture.run() is Ending.DONE
    assert any("or a person ended it" in line for line in fixture.view.lines)
    assert fixture.states() == ["complete"]


def test_trial_processes_die_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from tests.search.supervisor_fixture import SupervisorFixture, make_spec\n"
        "from tests.search.stub_trials import StubTrial\n"
        f"SupervisorFixture(Path({str(tmp_path)!r}), make_spec(), "
        "{n: StubTrial('hang') for n in range(9)}, n_slots=2).run()\n"
    )
    script = tmp_path / "supervise.py"
    script.write_text(f"if __name__ == '__main__':\n    {code.replace(chr(10), chr(10) + '    ')}")
    root = Path(__file__).parents[3]
    supervisor = subprocess.Popen([sys.executable, script], cwd=root, env={"PYTHONPATH": str(root)})
    try:
        _wait_until(lambda: len(list(tmp_path.glob("notes/*.pid"))) == 2 and _n_epochs(tmp_path) == 2)
    finally:
        supervisor.kill()
        supervisor.wait()
    pids = [int(path.stem.split("-")[1]) for path in tmp_path.glob("notes/*.pid")]
    _wait_until(lambda: not any(is_running(pid) for pid in pids))

    # Its running trials are swept and finished, with the same numbers.
    fixture = SupervisorFixture(tmp_path, make_spec(), {}, worker_id="bert")
    queue.sweep(fixture.study, ["anna"])
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete"] * 4
    assert [trial.n_attempts for trial in fixture.trials()] == [2, 2, 1, 1]


def _n_epochs(folder: Path) -> int:
    from tunefront.storage import curves, studies

    store = open_store(f"sqlite:///{folder / 'tunefront.db'}")
    return len(curves.load(studies.list_all(store)[0]))


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_supervisor_ends_with_a_message_when_its_study_is_deleted(make_fixture: MakeFixture) -> None:
    # optuna-dashboard can delete a study at any time.
    fixture = make_fixture({number: StubTrial(pause_seconds=0.1) for number in range(4)}, n_slots=2)
    deleted: list[str] = []

    def delete() -> bool:
        if fixture.view.lines and not deleted:
            deleted.append("digits")
            optuna.delete_study(study_name="digits", storage=fixture.store.optuna)
        return False

    with pytest.raises(StoreError, match="digits"):
        fixture.run(delete)
    assert fixture.living_trials() == []
