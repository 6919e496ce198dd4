from __future__ import annotations

import math

import numpy as np
import pytest

from tunefront.objectives.skill import LOGITS
from tunefront.search.pruning.accuracy_prediction import learning_level, predict_end


def accuracies(*log_odds: float) -> np.ndarray:
    return 1 / (1 + np.exp(-np.array(log_odds)))


def test_logits_stay_finite() -> None:
    assert LOGITS.skills(np.array([0.0, 0.5, 1.0])) == pytest.approx([-7.6004, 0.0, 7.6004], abs=1e-4)


def test_the_level_is_told_by_the_training_accuracy_ever_less() -> None:
    best, in_training = accuracies(0.0, 0.0, 0.0, 0.0, 1.0), np.array([*accuracies(4.0, 4.0, 4.0, 4.0), math.nan])
    levels = learning_level(LOGITS, best, in_training, np.array([1.0, 6.0, 10.0, 11.0, 1.0]), epochs=10)
    assert levels.tolist() == pytest.approx([0.6 * 4, 0.3 * 4, 0.06 * 4, 0.0, 1.0])


def test_predict_end_worked_out_by_hand() -> None:
    # Two trials at logit 0, like ours, gained 1 and 3: mean 2, variance 2, and for a new trial 2 * (1 + 1/2) = 3.
    end = predict_end(LOGITS, 0.0, np.zeros(2), accuracies(1.0, 3.0), assured=0.5)
    assert (end.assured, end.expected, end.freedom) == (0.5, pytest.approx(2.0), pytest.approx(1.0))
    assert end.spread == pytest.approx(math.sqrt(3))
    # Student's t with one degree of freedom: a quarter lies above 1.
    assert end.exceeded_with(0.25) == pytest.approx(1 / (1 + math.exp(-2 - math.sqrt(3))))
    assert end.chance_above(float(accuracies(2.0 + math.sqrt(3))[0])) == pytest.approx(0.25)


def test_predict_end_weighs_who_stood_nearer() -> None:
    levels, ends = np.array([0.0, 0.0, 4.0, 4.0]), accuracies(2.0, 2.1, 4.1, 4.2)
    low, high = predict_end(LOGITS, 0.0, levels, ends, assured=0.0), predict_end(LOGITS, 4.0, levels, ends, assured=0.0)
    assert low.expected == pytest.approx(2.05 - 1.9 / 18, abs=1e-3)  # weights 1 and 1 / (1 + 4^2)
    assert high.expected == pytest.approx(4.15 + 1.9 / 18, abs=1e-3)


def test_end_is_never_below_the_least() -> None:
    end = predict_end(LOGITS, 2.0, np.zeros(2), accuracies(0.1, 5.0), assured=0.9)
    assert end.exceeded_with(0.99) == 0.9
    assert end.chance_above(0.899) == 1.0


def test_end_may_be_below_the_level() -> None:
    end = predict_end(
        LOGITS,
        float(LOGITS.skills(np.array(0.9))),
        LOGITS.skills(np.full(9, 0.9)),
        np.linspace(0.5, 0.6, 9),
        assured=0.0,
    )
    assert end.exceeded_with(0.05) < 0.7
    assert end.chance_above(0.8) < 0.01


@pytest.mark.parametrize("accuracy", [0.0, 0.1, 0.5, 0.97, 1.0])
def test_end_of_what_gains_nothing_is_where_it_stands(accuracy: float) -> None:
    end = predict_end(
        LOGITS,
        float(LOGITS.skills(np.array(accuracy))),
        LOGITS.skills(np.full(9, 0.4)),
        np.full(9, 0.4),
        assured=accuracy,
    )
    assert end.exceeded_with(0.05) == pytest.approx(accuracy, abs=6e-4)
    assert end.chance_above(min(accuracy + 0.001, 1.0)) == 0.0


def test_nothing_is_above_one() -> None:
    end = predict_end(LOGITS, 4.6, np.zeros(9), accuracies(*np.linspace(1, 6, 9)), assured=0.99)
    assert end.exceeded_with(0.05) <= 1.0
    assert end.chance_above(1.0) == 0.0


def test_bound_is_wider_while_few_have_finished() -> None:
    gains = accuracies(1.0, 2.0, 3.0)
    few = predict_end(LOGITS, 0.0, np.zeros(3), gains, assured=0.5)
    many = predict_end(LOGITS, 0.0, np.zeros(300), np.tile(gains, 100), assured=0.5)
    assert few.exceeded_with(0.05) > many.exceeded_with(0.05)
    assert few.chance_above(0.99) > many.chance_above(0.99)


@pytest.mark.parametrize("chance", [0.02, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("n_finished", [8, 60])
def test_bound_is_passed_as_often_as_it_says(chance: float, n_finished: int) -> None:
    """The bound is calibrated if the law is known: gains are normal in logits, whatever the level."""
    generator = np.random.default_rng(1)
    levels = generator.normal(0, 1, size=(2000, n_finished + 1))
    ends = accuracies(*(levels + generator.normal(2, 0.5, size=levels.shape)).ravel()).reshape(levels.shape)
    n_above = sum(
        ends[row, 0]
        > predict_end(LOGITS, levels[row, 0], levels[row, 1:], ends[row, 1:], assured=0.0).exceeded_with(chance)
        for row in range(len(levels))
    )
    # The wider of two spreads is taken, so somewhat fewer trials pass than stated, but never notably more.
    assert 0.4 * chance < n_above / len(levels) < chance + 3 * math.sqrt(chance * (1 - chance) / len(levels))
