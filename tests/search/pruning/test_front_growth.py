from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tunefront.objectives.dominance import on_front
from tunefront.search.pruning.front_growth import chance_to_stay, expected_front


def harmonic(n: int, power: int = 1) -> float:
    return float(sum(Fraction(1, k**power) for k in range(1, n + 1)))


@pytest.mark.parametrize("n", [1, 2, 5, 20, 200])
def test_expected_front_is_the_exact_sum(n: int) -> None:
    assert expected_front(n, 1) == 1
    assert expected_front(n, 2) == pytest.approx(harmonic(n), rel=0.01)
    assert expected_front(n, 3) == pytest.approx((harmonic(n) ** 2 + harmonic(n, 2)) / 2, rel=0.02)


def test_expected_front_is_what_random_points_have() -> None:
    generator = np.random.default_rng(0)
    sizes = [on_front(generator.random((50, 3)), ["minimize"] * 3).sum() for _ in range(400)]
    assert np.mean(sizes) == pytest.approx(expected_front(50, 3), rel=0.05)


@pytest.mark.parametrize(
    ("n_ended", "n_trials", "n_objectives", "expected"),
    [
        (10, 100, 1, 0.1),  # the best of ten is the best of a hundred once in ten times
        (100, 100, 3, 1.0),
        (150, 100, 3, 1.0),
        (0, 100, 1, 0.01),
        (20, 240, 2, 20 / 240 * 6.06 / 3.60),
    ],
)
def test_chance_to_stay(n_ended: int, n_trials: int, n_objectives: int, expected: float) -> None:
    assert chance_to_stay(n_ended, n_trials, n_objectives) == pytest.approx(expected, rel=0.01)
