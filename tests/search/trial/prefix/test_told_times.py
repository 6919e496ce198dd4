"""The times that are told of trainings from features, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.candidates import candidate

pytestmark = pytest.mark.keras


@pytest.fixture
def timer(keras: Any) -> Any:
    """A timer of four epochs, 0.1 s each but for the last one, and of validations of 0.02 s after the first."""
    from tunefront.search.trial.timer import EpochTimer

    timer = EpochTimer()
    state = {"compile": [1.0], "train": [0.1, 0.1, 0.1, 0.5], "validation": [0.3, 0.02, 0.02, 0.02]}
    timer.restore({**state, "compiling_epochs": [], "compiling_validations": [0]}, n_fits=1)
    return timer


def test_one_pass_is_told_beside_the_epochs(timer: Any) -> None:
    from tunefront.search.trial.prefix.told_times import PassTimes, told_times
    from tunefront.search.trial.trainable import Phase

    times = PassTimes(train={0: 0.01}, validation=0.01, plain_step=0.04)
    told = told_times({Phase(1, 6): times}, candidate(), timer, n_train=100, n_validated=30)
    assert told == pytest.approx(
        {
            "prefix_seconds": 1.0,
            "prefix_validation_seconds": 0.3,
            "train_seconds": 0.8 + 1.0,
            "validation_seconds": 4 * 0.02 + 0.3,
            "plain_train_seconds": 4 * 100 * 0.04,
        }
    )


def test_each_view_has_a_pass_and_its_step_is_that_with_random_changes(timer: Any) -> None:
    from tunefront.search.trial.prefix.told_times import PassTimes, told_times
    from tunefront.search.trial.trainable import Phase

    plain = {"seconds_an_example": 0.01, "plain_seconds_an_example": 0.04}
    views = [{"seconds_an_example": seconds, "plain_seconds_an_example": 0.07} for seconds in (0.02, 0.03)]
    times = PassTimes.of({0: plain, 1: views[0], 2: views[1]})
    told = told_times({Phase(1, 6): times}, candidate(), timer, n_train=100, n_validated=30)
    assert told == pytest.approx(
        {
            "prefix_seconds": 100 * (0.02 + 0.03),
            "prefix_validation_seconds": 30 * 0.01,
            "train_seconds": 0.8 + 5.0,
            "validation_seconds": 4 * 0.02 + 0.3,
            "plain_train_seconds": 4 * 100 * 0.07,
            "feature_views": 2,
        }
    )
    assert PassTimes.of({0: plain}) == PassTimes(train={0: 0.01}, validation=0.01, plain_step=0.04)


def test_an_epoch_may_be_shorter_than_a_pass(timer: Any) -> None:
    from tunefront.search.trial.prefix.told_times import PassTimes, told_times
    from tunefront.search.trial.trainable import Phase

    times = PassTimes(train={0: 0.01}, validation=0.01, plain_step=0.04)
    chosen = candidate(batch_size=5, steps_per_epoch=2)
    told = told_times({Phase(1, 6): times}, chosen, timer, n_train=100, n_validated=30)
    assert told["train_seconds"] == pytest.approx(1.8)  # all examples were passed, whatever an epoch has
    assert told["plain_train_seconds"] == pytest.approx(4 * 10 * 0.04)


def test_two_phases_have_one_pass_and_a_plain_phase_its_own_epochs(timer: Any) -> None:
    from tunefront.search.trial.prefix.told_times import PassTimes, told_times
    from tunefront.search.trial.trainable import Phase

    head, rest = Phase(1, 3, is_head_only=True), Phase(4, 6)
    of_head = PassTimes(train={0: 0.01}, validation=0.01, plain_step=0.03)
    of_rest = PassTimes(train={0: 0.008}, validation=0.008, plain_step=0.05)
    told = told_times({head: of_head, rest: of_rest}, candidate(), timer, n_train=100, n_validated=30)
    assert told["train_seconds"] == pytest.approx(0.8 + 1.0)
    assert told["plain_train_seconds"] == pytest.approx(3 * 3.0 + 5.0)
    told = told_times({head: of_head}, candidate(), timer, n_train=100, n_validated=30)
    assert told["plain_train_seconds"] == pytest.approx(3 * 3.0 + 0.5)
    later = Phase(5, 6)  # which a training that was stopped after four epochs has not reached
    assert told_times({later: of_rest}, candidate(), timer, n_train=100, n_validated=30) == {}


def test_of_two_phases_that_see_a_view_the_longer_pass_counts(timer: Any) -> None:
    from tunefront.search.trial.prefix.told_times import PassTimes, told_times
    from tunefront.search.trial.trainable import Phase

    head = PassTimes(train={1: 0.03, 2: 0.02}, validation=0.01, plain_step=0.04)
    rest = PassTimes(train={1: 0.01, 2: 0.025, 3: 0.01}, validation=0.005, plain_step=0.07)
    told = told_times({Phase(1, 2): head, Phase(3, 6): rest}, candidate(), timer, n_train=100, n_validated=30)
    assert told["prefix_seconds"] == pytest.approx(100 * (0.03 + 0.025 + 0.01))
    assert told["prefix_validation_seconds"] == pytest.approx(30 * 0.01)
    assert told["feature_views"] == 3


def test_views_are_counted_of_phases_that_had_them_and_were_reached(timer: Any) -> None:
    from tunefront.search.trial.prefix.told_times import PassTimes, told_times
    from tunefront.search.trial.trainable import Phase

    head = PassTimes(train={1: 0.03}, validation=0.01, plain_step=0.04)
    later = PassTimes(train={2: 0.01, 3: 0.02}, validation=0.01, plain_step=0.04)
    for used in ({Phase(1, 1): head}, {Phase(1, 1): head, Phase(5, 6): later}):  # four epochs were trained
        told = told_times(used, candidate(), timer, n_train=100, n_validated=30)
        assert (told["feature_views"], told["prefix_seconds"]) == (1, pytest.approx(100 * 0.03))
