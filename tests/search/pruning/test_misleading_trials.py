"""Trials that mislead the `pareto` pruner: those that guess, fade, cross, tie or are no numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.search.pruning.judged_trials import EPOCHS, TEN, curve, finished, objectives
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES
from tunefront.search.data.chance import chances, guessing_level
from tunefront.search.pruning.finished_trials import FinishedTrial
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.storage.curves import Epoch


def test_a_tiny_model_at_chance_is_stopped_however_small_it_is() -> None:
    learning = [finished(number, 0.87, 0.89, 2000.0, 10.0) for number in range(10)]
    useless = [finished(10 + number, 0.1, 0.1, 1500.0, 9.0) for number in range(3)]
    tiny, never_smaller = curve(0.1, 0.1, 0.1, seconds=0.01), {"model_bytes": 1.0}  # it always says one class
    pruner = ParetoPruner(
        objectives(), EPOCHS, 0.05, guessing=guessing_level({"n_classes": 10, "n_validation": 360}, "accuracy")
    )
    verdict = pruner.judge(tiny, never_smaller, [*learning, *useless])
    assert "is no better than guessing may reach (13.16 %)" in verdict.reason
    assert verdict.brief == "no better than guessing"
    assert ParetoPruner(objectives(), EPOCHS, 0.05).judge(tiny, never_smaller, [*learning, *useless]).goes_on
    # A stopped trial would have been marked. The best end of 11 % is 13.6 %, which is better than guessing.
    assert pruner.judge(curve(0.1, 0.11, 0.1, seconds=0.01), never_smaller, [*learning, *useless]).goes_on


def test_a_network_that_has_learnt_goes_on_while_it_still_guesses_on_validation_images() -> None:
    """The moving averages of batch normalization lag behind."""
    learning = [
        replace(finished(number, 0.5, 0.6, 2000.0, 10.0), best_in_training=np.full(EPOCHS, 0.5)) for number in range(10)
    ]
    pruner = ParetoPruner(objectives(), EPOCHS, 0.05)

    def goes_on(training: float) -> bool:
        point = Epoch(1, 0.25, 2.0, 0.5, {"accuracy": training})
        return pruner.judge([point], {"model_bytes": 3000.0}, learning).goes_on

    assert not goes_on(0.25)
    # Odds of 1 : 3 and of 9 : 1 make 2.4 : 1 when the second weighs six tenths, and all odds grew by half: 78 %.
    assert goes_on(0.9)


def test_nothing_is_stopped_for_guessing_where_no_trial_does_better() -> None:
    hard = [finished(number, 0.1, 0.12, 2000.0, 10.0) for number in range(10)]
    pruner = ParetoPruner(objectives(), EPOCHS, 0.05, guessing=0.15)
    assert pruner.judge(curve(0.11, seconds=0.01), {"model_bytes": 1.0}, hard).goes_on


def test_guessing_is_any_measures_best_blind_answer() -> None:
    """If nine of ten images show no fire, guessing reaches an accuracy of 90 % and an F1 of 20 %."""
    dataset = {"chances": {name: vars(chance) for name, chance in chances(np.array([900, 100])).items()}}
    learning = [finished(number, 0.97, 0.97, 2000.0, 10.0) for number in range(10)]

    def goes_on(measure: str, reached: float) -> bool:
        chosen = {**objectives(), "accuracy": Objective(MEASURES[measure])}
        pruner = ParetoPruner(chosen, EPOCHS, 0.05, guessing=guessing_level(dataset, measure))
        return pruner.judge(curve(reached, reached, seconds=0.01), {"model_bytes": 1.0}, learning).goes_on

    assert (goes_on("accuracy", 0.90), goes_on("accuracy", 0.94)) == (False, True)
    assert (goes_on("f1_binary", 0.18), goes_on("f1_binary", 0.5)) == (False, True)
    assert goes_on("recall", 0.0)  # recall has no guessing level


def test_nothing_is_stopped_where_so_few_images_cannot_tell() -> None:
    learning = [finished(number, 0.87, 0.89, 2000.0, 10.0) for number in range(10)]
    level = guessing_level({"n_classes": 2, "n_validation": 4}, "accuracy")
    assert level == 1.0
    pruner = ParetoPruner(objectives(), EPOCHS, 0.05, guessing=level)
    assert pruner.judge(curve(0.5, 0.5, seconds=0.01), {"model_bytes": 1.0}, learning).goes_on


def test_a_trial_good_early_and_bad_later_is_stopped() -> None:
    """If the last weights are kept, the best epoch does not last: finished trials lost accuracy again."""
    fading = [
        FinishedTrial(number, np.full(EPOCHS, 0.9), (0.4 + 0.001 * number, 2000.0, 10.0), True) for number in range(20)
    ]
    good = finished(20, 0.8, 0.8, 1900.0, 1.0)
    pruner = ParetoPruner(objectives(), EPOCHS, 0.5)
    assert not pruner.judge(curve(0.9, 0.9), {"model_bytes": 3000.0}, [*fading, good]).goes_on
    kept = [finished(number, 0.9, 0.9, 2000.0, 10.0) for number in range(20)]
    assert pruner.judge(curve(0.91, 0.2, 0.1), {"model_bytes": 3000.0}, [*kept, good]).goes_on


def test_curves_that_cross_are_not_stopped_before_they_do() -> None:
    fast = [finished(number, 0.8, 0.82, 2000.0, 10.0) for number in range(20)]
    late = [finished(20 + number, 0.3, 0.95, 2000.0, 10.0) for number in range(10)]
    pruner = ParetoPruner(objectives(), EPOCHS, 0.05)
    for rung in range(1, EPOCHS - 1):
        assert pruner.judge(curve(*[0.31] * rung), {"model_bytes": 2500.0}, [*fast, *late]).goes_on


@pytest.mark.parametrize("constant", ["accuracy", "memory", "time"])
def test_one_objective_constant_leaves_the_others_to_decide(constant: str) -> None:
    accuracy = 0.5 if constant == "accuracy" else 0.6
    trials = [finished(number, 0.5, accuracy, 2000.0, 10.0) for number in range(10)]
    pruner = ParetoPruner(objectives(), EPOCHS, 0.05)
    same = {"model_bytes": 2000.0}
    assert pruner.judge(curve(0.5), same, trials).goes_on  # a tie in all three
    worse = curve(0.5, seconds=1.1) if constant != "time" else curve(0.49)
    assert not pruner.judge(worse, same, trials).goes_on
    better = curve(0.5, seconds=0.9) if constant != "time" else curve(0.51)
    assert pruner.judge(better, same, trials).goes_on


def test_an_epoch_that_is_not_a_number_counts_as_nothing() -> None:
    pruner = ParetoPruner(objectives(), EPOCHS, 0.05)
    assert not pruner.judge(curve(math.nan), {"model_bytes": 3000.0}, TEN).goes_on
    assert pruner.judge(curve(0.6, math.nan), {"model_bytes": 3000.0}, TEN).goes_on
    broken = FinishedTrial(99, np.array([0.5, math.nan]), (0.9, 1.0, 1.0), True)
    assert pruner.judge(curve(0.6), {"model_bytes": 3000.0}, [*TEN, broken]).goes_on
