"""What runs on the slots of a supervisor: started, found, gone through, freed."""

from __future__ import annotations

from typing import Any

import pytest

from tunefront.search.launching.slots import Slot
from tunefront.search.supervisor.running_trial import RunningTrial, RunningTrials
from tunefront.storage.attempts import Lease

FIRST, SECOND = Slot("cpu0", 1), Slot("cpu1", 1)


class StubChild:
    """A child of which nothing is asked but its end of the pipe."""

    def __init__(self) -> None:
        self.connection = object()


def trial_on(slot: Slot, number: int) -> RunningTrial:
    anything: Any = None
    child: Any = StubChild()
    return RunningTrial(Lease(1, number, 1, "anna"), anything, anything, slot, child, started_at=0.0)


@pytest.fixture
def running() -> RunningTrials:
    """Trial 7 on the first slot, and 4 on the second."""
    running = RunningTrials()
    running.start(trial_on(FIRST, 7))
    running.start(trial_on(SECOND, 4))
    return running


def test_none_run_at_first() -> None:
    running = RunningTrials()
    assert not running
    assert (len(running), list(running), running.numbers, running.on(FIRST)) == (0, [], [], None)


def test_a_trial_is_found_by_its_slot_and_by_its_connection(running: RunningTrials) -> None:
    trial = running.on(SECOND)
    assert trial is not None
    assert trial.lease.number == 4
    assert running.by_connection()[trial.child.connection] is trial
    assert len(running.by_connection()) == 2


def test_trials_and_numbers_come_in_the_order_of_their_starts(running: RunningTrials) -> None:
    assert running.numbers == [trial.lease.number for trial in running] == [7, 4]


def test_a_slot_is_free_once_its_trial_has_ended(running: RunningTrials) -> None:
    ended = running.on(FIRST)
    assert ended is not None
    running.free(ended)
    assert running.on(FIRST) is None
    assert running.numbers == [4]
    running.start(trial_on(FIRST, 8))
    assert running.numbers == [4, 8]


def test_slots_may_be_freed_by_who_goes_through_the_trials(running: RunningTrials) -> None:
    for trial in running:
        running.free(trial)
    assert not running


def test_a_slot_that_is_taken_takes_no_other_trial(running: RunningTrials) -> None:
    with pytest.raises(ValueError, match="slot cpu0 already runs trial 7"):
        running.start(trial_on(FIRST, 8))
    assert running.numbers == [7, 4]


def test_a_slot_is_not_freed_twice(running: RunningTrials) -> None:
    ended = trial_on(Slot("gpu0", 1), 9)
    with pytest.raises(KeyError, match="gpu0"):
        running.free(ended)
