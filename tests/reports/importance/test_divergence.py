"""The divergence of the best from all others, worked out by hand, and the draws that it is compared with."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution

from tests.reports.importance.simulated_studies import record
from tunefront.reports.importance.divergence import Draws, Values, find_divergence
from tunefront.reports.importance.importance import n_draws


@pytest.mark.parametrize(("n_pairs", "expected"), [(4, 2000), (100, 2000), (101, 2020), (300, 6000)])
def test_there_are_enough_draws_for_one_pair_to_be_clear(n_pairs: int, expected: int) -> None:
    assert n_draws(n_pairs) == expected
    assert 2 / (1 + expected) <= 0.1 / n_pairs  # Benjamini and Hochberg's bound of the first, by itself and one draw


def test_divergence_of_a_choice_worked_out_by_hand() -> None:
    space = {"net.kind": CategoricalDistribution(("a", "b"))}
    trials = [record(number, {"net.kind": "ab"[number % 2]}, space, 0.5) for number in range(8)]
    (values,) = Values.of("net.kind", trials)
    # Each choice has 4 of all 8 trials, and the best 3 all have a. A uniform prior weighs as much as one trial.
    best, every = np.array([3.5, 0.5]) / 4, np.array([4.5, 4.5]) / 9
    expected = float((every * (best / every - 1) ** 2).sum())
    is_best = np.isin(np.arange(8), [0, 2, 4])
    assert values.divergences(np.array([is_best, np.zeros(8, dtype=bool)])) == pytest.approx([expected, 0.0])
    found = find_divergence([values], is_best, Draws(np.zeros(8, dtype=np.int64)))
    # Of the 56 sets of three, 8 have one choice alone.
    assert found.chance == pytest.approx(8 / 56, abs=0.03)
    assert 0 < found.beyond_chance < expected


def test_draws_hold_as_many_of_each_block_as_the_best_do() -> None:
    is_best = np.array([True, True, False, False, False, True, False, False])
    members = np.array([0, 1, 2, 4, 5, 6, 7])
    drawn = Draws(np.array([0, 0, 0, 0, 1, 1, 1, 1])).like(is_best, members)
    assert set(drawn[:, :3].sum(axis=1)) == {2}
    assert set(drawn[:, 3:].sum(axis=1)) == {1}
    assert drawn.mean(axis=0) == pytest.approx([2 / 3] * 3 + [1 / 4] * 4, abs=0.05)
