"""Going on with a stored study under other limits, with real supervisors and stub trials."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.search.stub_trials import StubTrial
from tests.search.supervisor_fixture import SupervisorFixture, make_spec, serve
from tunefront.search.launching import machine
from tunefront.search.spec.errors import SpecError
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.stored_study import check_going_on, join
from tunefront.storage import studies
from tunefront.storage.database.locks import StoreError
from tunefront.storage.open_study import StudyRecord

DESCRIPTION = {"host_name": "anna", "process_started_at": psutil.Process().create_time()}
PLAN = {
    0: StubTrial(accuracies=(0.5, 0.6, 0.7), model_bytes=900.0),
    1: StubTrial(model_bytes=1500.0),
    2: StubTrial(accuracies=(0.2, 0.3, 0.4), model_bytes=500.0),
    3: StubTrial(model_bytes=5000.0),
    4: StubTrial(accuracies=(0.5, 0.6, 0.65), model_bytes=800.0),
    5: StubTrial(accuracies=(0.6, 0.7, 0.8), model_bytes=1500.0),
}


def limited(accuracy: float | None, memory: float | None, **changes: Any) -> Any:
    objectives = {
        "accuracy": {"measure": "accuracy", "at_least": accuracy},
        "memory": {"measure": "model_bytes", "at_most": memory},
    }
    return make_spec(objectives=objectives, **{"trials": 3, "max_refusals": 1, **changes})


@pytest.fixture
def fixture(tmp_path: Path) -> SupervisorFixture:
    """A study that gave up: 0 and 2 are complete, 2 breaks a limit, and 1 and 3 were refused, one too many."""
    fixture = SupervisorFixture(tmp_path, limited(0.5, 1000.0), PLAN)
    assert fixture.run() is Ending.TOO_MANY_REFUSALS
    assert fixture.states() == ["complete", "refused", "complete", "refused"]
    return fixture


def go_on(fixture: SupervisorFixture, spec: Any, worker: str = "bert") -> tuple[SupervisorFixture, list[str]]:
    """Continue the study with `spec`; return a fixture for it, and the lines that a person is told."""
    lines: list[str] = []
    join(spec, Path("digits.toml"), fixture.study, worker, DESCRIPTION, lines.append)
    return SupervisorFixture(fixture.folder, spec, PLAN, worker_id=worker), lines


def test_limits_on_other_measures_change_as_those_of_objectives(fixture: SupervisorFixture) -> None:
    spec = limited(0.5, 1000.0, limits={"validation_seconds": 0.5, "weight_bytes": 100.0}, max_refusals=9)
    fixture, lines = go_on(fixture, spec)
    assert lines[0] == (
        "limits change: limits.validation_seconds: the study has nothing, the spec 0.5; "
        "limits.weight_bytes: the study has nothing, the spec 100.0"
    )
    # 0 kept the limits of the objectives: it took 0.75 s to validate, and its weights are of 300 bytes.
    assert lines[1] == "of 2 complete trials, 0 keep the new limits; 1 kept the old ones"
    trials = fixture.trials()
    assert not trials[0].is_feasible
    assert trials[0].reason == "weight_bytes 300 B breaks its limit of at most 100 B"
    fixture, lines = go_on(fixture, limited(0.5, 1000.0, limits={"validation_seconds": 1.0}, max_refusals=9), "carl")
    assert lines[1] == "of 2 complete trials, 1 keep the new limits; 0 kept the old ones"
    assert lines[2] == "on the front now: trial 0"
    assert fixture.trials()[0].is_feasible
    assert fixture.trials()[0].reason == ""


def test_a_study_that_refused_too_much_goes_on_under_relaxed_limits(fixture: SupervisorFixture) -> None:
    fixture, lines = go_on(fixture, limited(0.35, 2000.0))
    assert lines == [
        "limits change: objectives.accuracy.at_least: the study has 0.5, the spec 0.35; "
        "objectives.memory.at_most: the study has 1000.0, the spec 2000.0",
        "of 2 complete trials, 2 keep the new limits; 1 kept the old ones",
        "on the front now: trial 2",
        "on the front without a model, which was not kept when they ended: trial 2",
        "refused before, and queued again because no limit refuses them now: 1 (trial 1 as 4)",
    ]
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete", "refused", "complete", "refused", "complete"]
    assert fixture.trials()[4].parameters == fixture.trials()[1].parameters
    assert fixture.kept_models() == ["trial-0.keras", "trial-4.keras"]


def test_tighter_limits_leave_models_until_another_trial_beats_them(fixture: SupervisorFixture) -> None:
    fixture, lines = go_on(fixture, limited(0.75, 1000.0, max_refusals=9, trials=4))
    assert lines == [
        "limits change: objectives.accuracy.at_least: the study has 0.5, the spec 0.75",
        "of 2 complete trials, 0 keep the new limits; 1 kept the old ones",
        "no longer on the front: trial 0; a kept model stays until another trial beats it",
    ]
    assert fixture.run() is Ending.DONE  # trial 4 breaks the limit, trial 5 is refused, trials 6 and on reach 0.7
    assert "trial-0.keras" in fixture.kept_models()


def test_nothing_is_said_when_nothing_changes(fixture: SupervisorFixture) -> None:
    assert go_on(fixture, limited(0.5, 1000.0, trials=7))[1] == []
    assert studies.find(fixture.store, "digits").record.spec["trials"] == 7  # type: ignore[union-attr]


def test_an_older_file_is_told_which_lines_to_add(tmp_path: Path) -> None:
    fixture = SupervisorFixture(tmp_path, make_spec(objectives={"accuracy": False, "time": False}), {})
    with pytest.raises(SpecError) as caught:
        check_going_on(make_spec(), Path("digits.toml"), fixture.study)
    assert "write accuracy = false\n" in str(caught.value)
    assert "write time = false\n" in str(caught.value)


# Who runs the study


def changed(fixture: SupervisorFixture) -> bool:
    study = studies.find(fixture.store, "digits")
    assert study is not None
    return check_going_on(limited(0.6, 1000.0), Path("digits.toml"), study)


def register(fixture: SupervisorFixture, host: str, pid: int, started_at: float) -> StudyRecord:
    machine_of = {"host_name": "gpu-box", "process_started_at": started_at}
    studies.register_worker(fixture.study, f"{host} {pid}", host, pid, machine_of)
    return fixture.record


def test_limits_do_not_change_while_a_process_of_this_machine_runs_the_study(fixture: SupervisorFixture) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        register(fixture, machine.host_key(), child.pid, psutil.Process(child.pid).create_time())
        with pytest.raises(SpecError) as caught:
            changed(fixture)
    finally:
        child.communicate()
    message = str(caught.value)
    assert f"only while nobody runs it, and this does: process {child.pid} (here)" in message
    assert "objectives.accuracy.at_least: the study has 0.5, the spec 0.6" in message
    assert changed(fixture)  # it has ended


def test_limits_do_not_change_while_another_machine_was_seen_lately(
    fixture: SupervisorFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(fixture, "another boot", 1, 0.0)
    with pytest.raises(SpecError, match=r"process 1 \(on gpu-box, seen in the last minute\)"):
        changed(fixture)
    now = studies.database_time(fixture.store)
    monkeypatch.setattr(studies, "database_time", lambda store: now + 61)
    assert changed(fixture)


def test_an_earlier_run_of_this_process_is_no_obstacle(fixture: SupervisorFixture) -> None:
    register(fixture, machine.host_key(), os.getpid(), psutil.Process().create_time())
    assert changed(fixture)


def test_a_worker_with_the_old_limits_does_not_join_one_with_new_limits(fixture: SupervisorFixture) -> None:
    go_on(fixture, limited(0.6, 1000.0))
    register(fixture, "another boot", 1, 0.0)
    with pytest.raises(SpecError, match="only while nobody runs it"):
        join(fixture.spec, Path("old.toml"), fixture.study, "carl", DESCRIPTION, print)
    lines: list[str] = []
    join(limited(0.6, 1000.0), Path("new.toml"), fixture.study, "dora", DESCRIPTION, lines.append)
    assert lines == []


def test_a_worker_that_was_taken_for_lost_does_not_go_on_under_the_old_limits(fixture: SupervisorFixture) -> None:
    old = SupervisorFixture(fixture.folder, limited(0.5, 1000.0, trials=9, max_refusals=9), PLAN, worker_id="asleep")
    supervisor = old.supervisor()
    go_on(fixture, limited(0.35, 1000.0))
    with pytest.raises(StoreError, match="the limits of study 'digits' were changed while this run was out of reach"):
        serve(supervisor)
    assert fixture.states() == ["complete", "refused", "complete", "refused"]
