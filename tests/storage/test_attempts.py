"""Attempts that go on from a checkpoint: which epochs stay, what counts as lost, and what a training consists of."""

from __future__ import annotations

import pytest

from tests.storage.study_fixture import StudyFixture, epoch
from tunefront.storage import curves, queue
from tunefront.storage.attempts import (
    Attempt,
    Lease,
    Progress,
    attempts_in,
    n_lost_in_vain,
    note_checkpoint,
    note_resumed,
)
from tunefront.storage.outcomes import Outcome


def train(fixture: StudyFixture, lease: Lease, *numbers: int, accuracy: float = 0.5) -> None:
    for number in numbers:
        assert curves.append(fixture.store, lease, epoch(number, accuracy))


def curve(fixture: StudyFixture) -> list[tuple[int, float]]:
    return [(each.epoch, each.accuracy) for each in fixture.trials()[0].epochs]


def made(ending: str, checkpoint: int = 0, resumed: int = 0, machine: str = "a CPU") -> Attempt:
    return Attempt(0, 1, "anna", 0.0, 1.0, ending, "", "", checkpoint, resumed, machine)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (Progress(2, 2), [(1, 0.5), (2, 0.5), (3, 0.9)]),
        (Progress(), [(3, 0.9)]),  # anew: no earlier epoch stays
        (Progress(4, 9), [(1, 0.5), (2, 0.5), (3, 0.9), (4, 0.5)]),  # folds: other epochs follow those of the curve
    ],
)
def test_lease_next_deletes_the_epochs_after_the_checkpoint_that_the_taker_goes_on_from(
    fixture: StudyFixture, kept: Progress, expected: list[tuple[int, float]]
) -> None:
    first = fixture.lease("anna")
    train(fixture, first[0], 1, 2, 3, 4)
    fixture.finish(first, Outcome.RETURNED)
    asked = []

    def progress(number: int, n_epochs: int) -> Progress:
        asked.append((number, n_epochs))
        return kept

    lease, _ = fixture.lease("bert", machine="a CPU", progress=progress)
    assert asked == [(0, 4)]
    assert (lease.number, lease.attempt, lease.resumed_from) == (0, 2, kept.epoch)
    train(fixture, lease, 3, accuracy=0.9)
    (trial,) = fixture.trials()
    assert curve(fixture) == expected
    assert (trial.measurements, trial.parts[-1].resumed_epochs, trial.parts[-1].machine) == ({}, kept.n_epochs, "a CPU")


def test_lease_next_asks_for_a_checkpoint_only_of_epochs_without_a_gap(fixture: StudyFixture) -> None:
    """The worker may have ended while the storage was away, so that the store lacks epochs that have a checkpoint."""
    first = fixture.lease("anna")
    train(fixture, first[0], 1, 2, 4)
    fixture.finish(first, Outcome.RETURNED)
    lease, _ = fixture.lease("bert", progress=lambda number, n_epochs: Progress(n_epochs, n_epochs))
    assert lease.resumed_from == 2
    assert curve(fixture) == [(1, 0.5), (2, 0.5)]


def test_a_first_attempt_begins_anew_whatever_lies_in_a_folder(fixture: StudyFixture) -> None:
    lease, _ = fixture.lease("anna", progress=lambda number, n_epochs: Progress(3, 3))
    assert lease.resumed_from == 0


def test_note_resumed_deletes_later_epochs_of_the_leases_holder_alone(fixture: StudyFixture) -> None:
    first = fixture.lease("anna")
    train(fixture, first[0], 1, 2, 3)
    fixture.finish(first, Outcome.RETURNED)
    lease, _ = fixture.lease("bert", progress=lambda number, n_epochs: Progress(3, 3))
    assert note_resumed(fixture.store, first[0], Progress()) is False
    assert curve(fixture) == [(1, 0.5), (2, 0.5), (3, 0.5)]
    assert note_resumed(fixture.store, lease, Progress(1, 1)) is True
    assert curve(fixture) == [(1, 0.5)]
    assert fixture.trials()[0].parts[-1].resumed_epochs == 1


def test_a_lost_attempt_counts_only_if_it_reached_no_new_checkpoint(fixture: StudyFixture) -> None:
    endings = []
    for reached in (2, 0, 4, 3, 0):  # of the fourth attempt, which began anew, the third one had more
        lease, _ = fixture.lease("anna")
        if reached:
            assert note_checkpoint(fixture.store, lease, reached)
        assert fixture.sweep("anna") == [0]
        endings.append(fixture.trials()[0].state)
    assert endings == ["waiting"] * 4 + ["failed"]
    assert fixture.trials()[0].reason == f"its worker was lost in {queue.MAX_ATTEMPTS} attempts"


def test_a_checkpoint_is_not_noted_for_a_lease_that_was_lost(fixture: StudyFixture) -> None:
    late, _ = fixture.lease("anna")
    fixture.sweep("anna")
    assert note_checkpoint(fixture.store, late, 1) is False
    assert fixture.trials()[0].parts[-1].checkpoint_epochs == 0


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([], 0),
        ([made("lost"), made("lost")], 2),
        ([made("lost", 3), made("lost", 0, 3)], 1),
        ([made("lost", 3), made("lost", 5, 3)], 0),
        ([made("lost", 5), made("lost", 4)], 1),  # on another machine, which began anew and came less far
        # Of a member of a population, those of the turn under way count, which began at its checkpoint.
        ([made("lost", 2), made("lost", 0, 2), made("paused", 4, 2), made("lost", 0, 4)], 1),
        ([made("paused", 2), made("lost", 0, 2), made("lost", 0, 2), made("running", 0, 2)], 3),
        ([made("paused", 2), made("lost", 3, 2), made("lost", 0, 3), made("lost", 1)], 2),
        ([made("returned", 5), made("killed", 6, 5), made("lost", 0, 6), made("running", 0, 6)], 2),
    ],
)
def test_n_lost_in_vain(attempts: list[Attempt], expected: int) -> None:
    assert n_lost_in_vain(attempts) == expected


@pytest.mark.parametrize(
    ("resumed", "expected"),
    [
        ([], []),
        ([0], [0]),
        ([0, 3, 7], [0, 1, 2]),
        ([0, 3, 0], [2]),  # the last one began anew
        ([0, 3, 3], [0, 2]),  # the second one was lost before its first checkpoint
        ([0, 3, 7, 2], [0, 3]),  # newer checkpoints were torn
    ],
)
def test_attempts_in_a_training(resumed: list[int], expected: list[int]) -> None:
    attempts = [made("lost", resumed=epochs, machine=str(index)) for index, epochs in enumerate(resumed)]
    assert [int(each.machine) for each in attempts_in(attempts)] == expected


def test_an_attempt_knows_that_an_earlier_one_was_killed(fixture: StudyFixture) -> None:
    for outcome, expected in ((Outcome.RETURNED, False), (Outcome.KILLED, False), (Outcome.LOST, True)):
        leased = fixture.lease("anna")
        assert leased[0].was_killed is expected
        fixture.finish(leased, outcome, reason=outcome.value)
    assert fixture.lease("anna")[0].was_killed is True
    (trial,) = fixture.trials()
    assert (trial.state, trial.n_attempts) == ("running", 4)
