from __future__ import annotations

import math

import pytest

from tests.storage.study_fixture import StudyFixture, epoch
from tunefront.storage import curves
from tunefront.storage.curves import Epoch
from tunefront.storage.outcomes import Outcome


def test_load_gives_each_curve_in_order(fixture: StudyFixture) -> None:
    (first, _), (second, _) = fixture.lease(), fixture.lease()
    for lease, number in ((first, 2), (second, 1), (first, 1)):
        curves.append(fixture.store, lease, epoch(number, accuracy=number / 10))
    loaded = curves.load(fixture.study)
    assert {number: [point.epoch for point in curve] for number, curve in loaded.items()} == {0: [1, 2], 1: [1]}


def test_an_epoch_comes_back_as_it_was_written(fixture: StudyFixture) -> None:
    lease, _ = fixture.lease()
    written = Epoch(1, 0.123456789012345, 1.5e-7, 0.0, {"loss": 1e30, "val_loss": 0.1, "accuracy": 1.0})
    curves.append(fixture.store, lease, written)
    assert curves.load(fixture.study) == {0: [written]}


def test_append_replaces_an_epoch_when_it_comes_again(fixture: StudyFixture) -> None:
    lease, _ = fixture.lease()
    curves.append(fixture.store, lease, epoch(1, accuracy=0.1))
    curves.append(fixture.store, lease, epoch(1, accuracy=0.2))
    (curve,) = curves.load(fixture.study).values()
    assert [point.accuracy for point in curve] == [0.2]


@pytest.mark.parametrize(("numbers", "expected"), [(None, [0, 1, 2]), ([0, 2], [0, 2]), ([7], []), ([], [])])
def test_load_of_some_numbers(fixture: StudyFixture, numbers: list[int] | None, expected: list[int]) -> None:
    for _ in range(3):
        curves.append(fixture.store, fixture.lease()[0], epoch(1))
    assert sorted(curves.load(fixture.study, numbers)) == expected


def test_load_when_there_are_more_numbers_than_a_statement_takes(fixture: StudyFixture) -> None:
    # 40 000 numbers are more than SQLite's 32 766 variables and fewer than PostgreSQL's 65 535; both must work.
    curves.append(fixture.store, fixture.lease()[0], epoch(1))
    assert list(curves.load(fixture.study, range(40_000))) == [0]


def test_load_leaves_other_studies_out(fixture: StudyFixture) -> None:
    other = StudyFixture.make(fixture.store.url, name="other")
    curves.append(other.store, other.lease()[0], epoch(1))
    assert curves.load(fixture.study) == {}
    assert math.isclose(curves.load(other.study)[0][0].accuracy, 0.5)
    other.store.optuna.remove_session()
    other.store.engine.dispose()


def test_epochs_saved_are_those_that_stopped_trials_were_not_trained_for(fixture: StudyFixture) -> None:
    """The spec's trainings have 3 epochs; one trial drew 7 of its own."""
    for n_epochs, own, outcome in (
        (1, None, Outcome.PRUNED),
        (5, 7, Outcome.PRUNED),
        (3, None, Outcome.PRUNED),
        (2, None, Outcome.COMPLETE),  # ended by itself: nothing was stopped
        (1, None, Outcome.FAILED),
        (0, None, Outcome.REFUSED),  # never began
    ):
        leased = fixture.lease()
        if own is not None:
            assert leased[1].suggest_int("training.epochs", own, own) == own
        for number in range(1, n_epochs + 1):
            curves.append(fixture.store, leased[0], epoch(number))
        fixture.finish(leased, outcome)
    assert curves.epochs_saved(fixture.study) == (3 - 1) + (7 - 5)
