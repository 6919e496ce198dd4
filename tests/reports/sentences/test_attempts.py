"""What is said of trials that were started more than once."""

from __future__ import annotations

import math
from pathlib import Path

from tests.storage.study_fixture import MEASUREMENTS, StudyFixture
from tunefront.reports.sentences.attempts import describe_attempts
from tunefront.reports.status import study_status
from tunefront.reports.study_results import load_results
from tunefront.storage import studies
from tunefront.storage.attempts import Progress, note_checkpoint
from tunefront.storage.curves import Epoch, append
from tunefront.storage.outcomes import Outcome


def interrupt(fixture: StudyFixture, machine: str = "A, 2 threads") -> None:
    """Begin the next trial, and give it back with a checkpoint after its first epoch."""
    leased = fixture.lease(machine=machine)
    assert append(fixture.store, leased[0], Epoch(1, 0.5, 0.25, 0.125, {}))
    assert note_checkpoint(fixture.store, leased[0], 1)
    fixture.finish(leased, Outcome.RETURNED, measurements={})


def test_trials_that_went_on_and_that_began_anew_are_told_apart(tmp_path: Path) -> None:
    fixture = StudyFixture.make(f"sqlite:///{tmp_path / 'tunefront.db'}")
    fixture.finish(fixture.lease())
    assert describe_attempts(load_results(fixture.study)) == ""
    interrupt(fixture)
    fixture.finish(fixture.lease(machine="A, 2 threads", progress=lambda number, n_epochs: Progress(1, 1)))
    for _ in range(2):
        interrupt(fixture)
    fixture.finish(fixture.lease(machine="A, 2 threads"))
    expected = (
        "Interrupted or lost, and trained on from a checkpoint: trial 1 (in 2 attempts). "
        "Started more than once, the last time from the beginning: trial 2 (3 times)."
    )
    assert describe_attempts(load_results(fixture.study)) == expected


def test_times_of_several_kinds_of_machines_are_marked_and_do_not_count(tmp_path: Path) -> None:
    fixture = StudyFixture.make(f"sqlite:///{tmp_path / 'tunefront.db'}")
    spec = dict(fixture.record.spec)
    objectives = {axis: table for axis, table in spec["objectives"].items() if axis == "memory"}
    studies.update_spec(fixture.study, {**spec, "objectives": objectives})
    interrupt(fixture)
    leased = fixture.lease(machine="B, 1 thread", progress=lambda number, n_epochs: Progress(1, 1))
    fixture.finish(leased, Outcome.PRUNED, measurements={**MEASUREMENTS, "device_kinds": 2.0})
    fixture.finish(fixture.lease(), Outcome.PRUNED)
    found = studies.find(fixture.store, "digits")
    assert found is not None
    results = load_results(found)
    mixed, usual = results.trials
    assert describe_attempts(results).endswith(
        "Trained on more than one kind of machine, so that their times are not compared: "
        "trial 0 (A, 2 threads; B, 1 thread)."
    )
    assert math.isnan(results.value(mixed, "time"))
    assert results.value(mixed, "memory") == 1000.0
    assert results.value(usual, "time") == 2.5
    assert study_status(found).as_json()["pruned"] == 2
