"""Studies of which nothing runs on a machine: lost trials are taken over, however many studies there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.fleet.fleet_fixture import FleetFixture
from tunefront.search.fleet.serving.idle_studies import IdleStudies
from tunefront.storage import queue, studies
from tunefront.storage.control import study_control
from tunefront.storage.control.study_control import StudyControl
from tunefront.storage.database import schema
from tunefront.storage.database.waits import Waits

LEASE_SECONDS = 60.0


def test_idle_studies_beyond_four_are_left_longest_idle_first_and_looked_at_again() -> None:
    seconds = 0.0
    idle = IdleStudies(LEASE_SECONDS, lambda: seconds)
    controls = {name: StudyControl(number, name, n_running=2) for number, name in enumerate("abcdef")}
    assert idle.leavers("a", controls, are_others=True) == set()
    seconds = 1.0
    assert idle.leavers("abcde", controls, are_others=True) == {"a"}
    assert [idle.is_worth_a_look(controls[name]) for name in "ab"] == [False, True]
    assert idle.is_worth_a_look(StudyControl(0, "a", n_running=1))  # a trial went back to the queue, or has ended
    assert idle.is_worth_a_look(StudyControl(0, "a", n_running=2, n_lost=1))
    seconds = 61.0
    assert not idle.is_worth_a_look(controls["a"])
    seconds = 61.5
    assert idle.is_worth_a_look(controls["a"])
    idle.forget("a")
    seconds = 1.0
    assert idle.is_worth_a_look(controls["a"])


def test_an_idle_study_with_lost_trials_is_served_for_two_leases() -> None:
    seconds = 0.0
    idle = IdleStudies(LEASE_SECONDS, lambda: seconds)
    controls = {name: StudyControl(number, name, n_lost=1) for number, name in enumerate("abcdef")}
    assert idle.leavers("abcdef", controls, are_others=True) == set()
    controls["c"] = StudyControl(2, "c", n_running=1)  # its lost trial was given back, and runs elsewhere
    assert idle.leavers("abcdef", controls, are_others=True) == {"c"}
    seconds = 120.0
    assert idle.leavers("ab", controls, are_others=True) == set()
    seconds = 120.5
    assert idle.leavers("ab", controls, are_others=False) == set()
    assert idle.leavers("ab", controls, are_others=True) == {"a", "b"}
    assert idle.leavers("d", {}, are_others=True) == {"d"}  # one that is not open any more


@pytest.mark.usefixtures("fork_server")
def test_lost_trials_of_many_studies_are_taken_over(tmp_path: Path) -> None:
    """A machine is lost with one trial of each of seven studies, and one worker is left that has nothing else to do."""
    waits = Waits(lease_seconds=2.0, away_seconds=1.0, lock_seconds=2.0, row_seconds=2.0, idle_seconds=4.0)
    fixture = FleetFixture(tmp_path, pause_seconds=0.0, waits=waits)
    submitted = [fixture.submit(f"study{number}", 1) for number in range(7)]
    for study in submitted:
        studies.register_worker(study, f"lost-{study.study_id}", "another host", 1, {})
        with study.exclusively():
            assert queue.lease_next(study, 1, f"lost-{study.study_id}", "cpu0") is not None
    assert {each.n_running for each in study_control.read_all(fixture.store).values()} == {1}
    with fixture.store.engine.begin() as connection:
        connection.execute(schema.leases.update().values(expires_at=0.0))
        connection.execute(schema.workers.update().values(seen_at=0.0))
    assert {(each.n_running, each.n_lost) for each in study_control.read_all(fixture.store).values()} == {(0, 1)}
    assert fixture.work(2) == []
    for study in submitted:
        assert [each.ending for each in fixture.attempts(study)] == ["lost", "complete"]
