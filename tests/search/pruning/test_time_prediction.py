"""The prediction of a training's seconds from its epochs so far and finished trials, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.search.pruning.finished_trials import FinishedTrial, FinishedTrials
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.search.pruning.time_prediction import TimePrediction, settled_so_far
from tunefront.storage.curves import Epoch

EPOCHS = 10
OBJECTIVES: dict[Axis, Objective] = {
    "accuracy": Objective(MEASURES["accuracy"]),
    "memory": Objective(MEASURES["model_bytes"]),
    "time": Objective(MEASURES["train_seconds"]),
}


def epochs(*seconds: float) -> list[Epoch]:
    return [Epoch(index + 1, 0.5, each, 0.5, {}) for index, each in enumerate(seconds)]


def project(points: list[Epoch], trials: list[FinishedTrial], may_end_early: bool = False) -> TimePrediction:
    pruner = ParetoPruner(OBJECTIVES, EPOCHS, 0.05, may_end_early)
    return pruner.predict_time(points, FinishedTrials(EPOCHS, pruner.objectives.values(), trials))


def timed(number: int, *seconds: float) -> FinishedTrial:
    """Return a trial whose time is the sum of its epochs, without the compiling in the first one."""
    so_far = settled_so_far(seconds)
    return FinishedTrial(
        number, np.full(len(so_far), 0.5), (0.5, 1.0, float(so_far[-1])), True, {"train_seconds": so_far}
    )


def test_time_is_projected_by_what_finished_trials_still_needed() -> None:
    # Their first two epochs took a fifth of the whole, or three elevenths.
    even = [timed(number, *([1.0] * EPOCHS)) for number in range(4)]
    slower = [timed(number + 4, 1.0, 2.0, *([1.0] * (EPOCHS - 2))) for number in range(4)]
    found = project(epochs(3.0, 3.0), [*even, *slower])
    assert np.sort(np.exp(found.logs)) == pytest.approx([6 * 11 / 3] * 4 + [6 * 5] * 4)
    assert found.lower_decile == pytest.approx(22)
    assert found.undercut_with(0.05) < 22 * 0.9  # of eight trials none was so fast, and the next one may be
    assert found.chance_within(22) == pytest.approx(0.5)
    assert found.chance_within(15) < 0.05
    assert found.chance_within(40) > 0.9


def test_an_optimistic_time_is_that_like_one_finished_trial_in_ten() -> None:
    # The whole took 5, 9, 17, ... times as long as the first two epochs; of eleven, the second fastest is the decile.
    past = [timed(number, 1.0, 1.0, *([2.0**number] * (EPOCHS - 2))) for number in range(11)]
    assert project(epochs(3.0, 3.0), past).lower_decile == pytest.approx(6 * 9)


def test_time_has_no_spread_where_all_took_alike() -> None:
    alike = [timed(number, *([1.0] * EPOCHS)) for number in range(8)]
    found = project(epochs(1.0, 1.0), alike)
    assert [found.undercut_with(chance) for chance in (0.05, 0.5)] == [10.0, 10.0]
    assert (found.chance_within(10.0), found.chance_within(9.99)) == (1.0, 0.0)


@pytest.mark.parametrize("n_finished", [0, 8])
def test_a_pass_of_frozen_layers_counts_once(n_finished: int) -> None:
    # Ten epochs of 1 s and a pass of 20 s: after two epochs, a fifth of the epochs was trained.
    past = [replace(trial, values=(0.5, 1.0, 30.0), passes={"train_seconds": 20.0}) for trial in (
        timed(number, *([1.0] * EPOCHS)) for number in range(n_finished)
    )]  # fmt: skip
    pruner = ParetoPruner(OBJECTIVES, EPOCHS, 0.05)
    finished = FinishedTrials(EPOCHS, pruner.objectives.values(), past)
    own = epochs(2.0, 2.0)
    # Without finished trials, each epoch to come may be twice as fast as the fastest one.
    wholes = 4 + 8 * 1.0 if not n_finished else 20.0
    for measurements, once in (({}, 0.0), ({"prefix_seconds": 7.0}, 7.0), ({"prefix_validation_seconds": 7.0}, 0.0)):
        found = pruner.predict_time(own, finished, measurements)
        assert found.lower_decile == pytest.approx(wholes + once)
        assert found.undercut_with(0.05) == pytest.approx(wholes + once)
        assert [found.chance_within(wholes + once + more) for more in (0.001, -0.001)] == [1.0, 0.0]
        assert found.chance_within(once) == 0.0


@pytest.mark.parametrize("first", [1.0, 30.0])
def test_compiling_in_the_first_epoch_is_not_projected(first: float) -> None:
    """The time of a whole training does not include compiling, so here every training takes 10 s."""
    compiled = [timed(number, first, *([1.0] * (EPOCHS - 1))) for number in range(8)]
    assert [trial.values[2] for trial in compiled] == [10.0] * 8
    own = epochs(first, 1.0, 1.0)
    assert project(own, compiled).undercut_with(0.05) == 10.0
    assert project(own, []).undercut_with(0.05) <= 10.0


def test_settled_seconds_take_a_slow_first_epoch_as_a_later_one() -> None:
    assert settled_so_far([9.0, 1.0, 3.0, 1.0]).tolist() == [9.0, 2.0, 6.0, 6.0]
    assert settled_so_far([0.5, 1.0, 1.0]).tolist() == [0.5, 1.5, 2.5]


@pytest.mark.parametrize(
    ("seconds", "may_end_early", "expected"),
    [
        ([1.0, 3.0], False, 8.0),  # 4 s so far, and 8 epochs twice as fast as the fastest
        ([2.0], False, 0.0),  # the only epoch may be mostly compiling
        ([1.0, 3.0], True, 4.0),  # it may end now
    ],
)
def test_time_is_taken_as_short_while_few_have_finished(
    seconds: list[float], may_end_early: bool, expected: float
) -> None:
    seven = [timed(number, *([1.0] * EPOCHS)) for number in range(7)]
    points = epochs(*seconds)
    assert project(points, seven, may_end_early).undercut_with(0.05) == expected


def test_one_slow_epoch_does_not_stop_a_trial() -> None:
    """The machine was busy in the first epoch of some trials, and in that of this one."""
    generator = np.random.default_rng(0)
    seconds = np.ones((40, EPOCHS))
    seconds[generator.random(40) < 0.4, 0] = 4.0
    past = [timed(number, *row) for number, row in enumerate(seconds)]
    points = epochs(4.0, 1.0)
    assert project(points, past).undercut_with(0.05) <= 10.0
