from __future__ import annotations

import math

import numpy as np
import pytest

from tunefront.objectives.measures import MEASURES
from tunefront.objectives.skill import skill_scale

ACCURACY, RMSE, R2 = (skill_scale(MEASURES[name]) for name in ("accuracy", "rmse", "r2"))


def test_halving_an_error_is_one_gain_wherever_it_begins() -> None:
    assert RMSE.skill(2.0) - RMSE.skill(4.0) == pytest.approx(math.log(2))
    assert RMSE.skill(0.002) - RMSE.skill(0.004) == pytest.approx(math.log(2))
    assert ACCURACY.skill(0.99) - ACCURACY.skill(0.98) == pytest.approx(math.log(99 / 49))


@pytest.mark.parametrize(
    ("measure", "score", "expected"),
    [
        ("accuracy", 0.75, math.log(3)),
        ("rmse", math.exp(-2), 2.0),
        ("mae", 20.0, -math.log(20)),
        ("r2", 0.75, math.log(2)),  # the error is half of that of guessing
        ("r2", 0.0, 0.0),
        ("r2", -3.0, -math.log(2)),  # twice the error of guessing
    ],
)
def test_skills_worked_out_by_hand_and_back(measure: str, score: float, expected: float) -> None:
    scale = skill_scale(MEASURES[measure])
    assert scale.skill(score) == pytest.approx(expected)
    assert scale.score(expected) == pytest.approx(score)


def test_r2_and_rmse_of_the_same_answers_differ_by_a_constant() -> None:
    drawn = np.random.default_rng(0)
    labels = drawn.normal(50, 7, 200)
    answers = [labels + drawn.normal(0, spread, 200) for spread in (0.01, 3.0, 40.0)]
    squared = np.array([np.mean((answer - labels) ** 2) for answer in answers])
    distances = RMSE.skills(np.sqrt(squared)) - R2.skills(1 - squared / labels.var())
    assert distances == pytest.approx([-math.log(labels.std())] * 3)


@pytest.mark.parametrize(
    ("measure", "perfect", "hopeless"), [("accuracy", 1.0, 0.0), ("rmse", 0.0, math.inf), ("r2", 1.0, -math.inf)]
)
def test_skills_stay_finite(measure: str, perfect: float, hopeless: float) -> None:
    scale = skill_scale(MEASURES[measure])
    skills = scale.skills(np.array([perfect, hopeless]))
    assert np.isfinite(skills).all()
    assert skills[0] > skills[1]
    assert (scale.best, scale.worst) == (perfect, hopeless)
    assert scale.score(1e4) == perfect


def test_the_better_of_two_scores() -> None:
    assert (RMSE.better(2.0, 3.0), RMSE.is_better(2.0, 3.0), RMSE.is_better(3.0, 3.0)) == (2.0, True, False)
    assert (R2.better(-2.0, -3.0), ACCURACY.better(0.2, 0.3)) == (-2.0, 0.3)
    assert not RMSE.is_better(math.nan, 1.0)


@pytest.mark.parametrize(
    ("measure", "best", "so_far"), [("rmse", 1.0, [3.0, 1.0, 1.0, 1.0]), ("r2", 3.0, [3.0, 3.0, 3.0, 3.0])]
)
def test_the_best_of_some_values_is_by_the_measures_direction(measure: str, best: float, so_far: list[float]) -> None:
    values = [3.0, 1.0, 2.0, 2.5]
    assert MEASURES[measure].best([math.nan, *values]) == best
    assert MEASURES[measure].best_so_far(values).tolist() == so_far
    assert math.isnan(MEASURES[measure].best([math.nan]))
