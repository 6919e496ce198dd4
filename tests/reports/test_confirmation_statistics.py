"""Intervals and bootstrap, against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from objectives import MEASURES, Objective
from reports.confirmation_statistics import (
    N_RESAMPLES,
    Estimate,
    beaten_shares,
    estimate,
    front_shares,
    resampled_means,
    within_limits,
)

ACCURACY, MEMORY = Objective(MEASURES["accuracy"]), Objective(MEASURES["model_bytes"])
BOTH = [ACCURACY, MEMORY]


@pytest.mark.parametrize(
    ("values", "mean", "half_width"),
    [
        ([1.0, 2.0, 3.0], 2.0, 4.302653 / math.sqrt(3)),  # the deviation is 1; t of 2 degrees of freedom
        ([0.9, 0.9], 0.9, 0.0),
        ([0.0, 1.0], 0.5, 12.706205 * 0.5),
    ],
)
def test_an_interval_is_students(values: list[float], mean: float, half_width: float) -> None:
    found = estimate(values)
    assert found.mean == pytest.approx(mean)
    assert found.half_width == pytest.approx(half_width, rel=1e-6)
    assert (found.low, found.high) == (found.mean - found.half_width, found.mean + found.half_width)
    assert found.n == len(values)


def test_an_interval_is_nan_when_there_is_one_value_or_none() -> None:
    assert estimate([0.5]).mean == 0.5
    assert math.isnan(estimate([0.5]).half_width)
    assert math.isnan(estimate([]).mean)
    assert estimate([]).n == 0
    assert Estimate(1.0, 0.5, 3).low == 0.5


@pytest.mark.parametrize("n", [2, 3, 5])
def test_resampled_means_spread_as_means_do(n: int) -> None:
    values = np.random.default_rng(1).normal(0.9, 0.01, size=(n, 1))
    means = resampled_means([values])[:, 0, 0]
    assert means.mean() == pytest.approx(values.mean(), abs=0.001)
    assert means.std() == pytest.approx(values.std(ddof=1) / math.sqrt(n), rel=0.06)


def test_resampled_means_are_the_same_each_time_and_exact_where_nothing_varies() -> None:
    samples = [np.array([[0.9, 966107.0], [0.8, 966107.0], [0.7, 966107.0]]), np.array([[0.5, 3.0], [0.5, 3.0]])]
    means = resampled_means(samples)
    assert means.shape == (N_RESAMPLES, 2, 2)
    assert (means == resampled_means(samples)).all()
    assert (means[:, 0, 1] == 966107.0).all()
    assert (means[:, 1] == [0.5, 3.0]).all()


@pytest.mark.parametrize("share", [value / 360 for value in range(1, 360, 7)])
def test_the_same_value_has_the_same_mean_however_often_it_was_measured(share: float) -> None:
    means = resampled_means([np.full((5, 1), share), np.full((3, 1), share)])
    assert (means[:, 0] == means[:, 1]).all()
    assert not beaten_shares(means, [ACCURACY]).any()


def test_one_more_value_lies_below_the_highest_expected_in_all_but_a_fortieth() -> None:
    random = np.random.default_rng(5)
    draws = random.normal(size=(4000, 6))
    is_above = [one > estimate(list(others)).highest_expected for one, *others in draws]
    assert np.mean(is_above) == pytest.approx(0.025, abs=0.008)


def repeated(*points: tuple[float, float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Resamples that are all the same."""
    return np.tile(np.array(points), (4, 1, 1))


def test_shares_are_all_or_nothing_when_nothing_varies() -> None:
    means = repeated((0.9, 100.0), (0.8, 50.0), (0.85, 200.0))
    assert front_shares(means, BOTH).tolist() == [1.0, 1.0, 0.0]
    assert beaten_shares(means, BOTH).tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]


def test_equals_do_not_beat_each_other() -> None:
    means = repeated((0.9, 100.0), (0.9, 100.0))
    assert front_shares(means, BOTH).tolist() == [1.0, 1.0]
    assert not beaten_shares(means, BOTH).any()


def test_what_breaks_a_limit_is_on_no_front_and_beats_nothing() -> None:
    limited = [Objective(MEASURES["accuracy"], at_least=0.7), Objective(MEASURES["model_bytes"], at_most=90.0)]
    means = repeated((0.9, 100.0), (0.8, 80.0), (0.6, 10.0))
    assert within_limits(means, limited)[0].tolist() == [False, True, False]
    assert front_shares(means, limited).tolist() == [0.0, 1.0, 0.0]
    assert beaten_shares(means, limited).tolist() == [[1, 1, 1], [0, 0, 0], [1, 1, 1]]


def test_two_alike_share_the_front_about_evenly() -> None:
    random = np.random.default_rng(7)
    values = random.normal(0.9, 0.01, size=6)
    samples = [np.column_stack([values, np.full(6, 100.0)]), np.column_stack([values[::-1], np.full(6, 100.0)])]
    shares = front_shares(resampled_means(samples), BOTH)
    assert shares == pytest.approx([0.5, 0.5], abs=0.04)


def test_nobody_is_on_the_front_alone_against_everybody_when_all_break_a_limit() -> None:
    shares = front_shares(repeated((0.1, 1.0)), [Objective(MEASURES["accuracy"], at_least=0.5), MEMORY])
    assert shares.tolist() == [0.0]
