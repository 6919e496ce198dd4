"""Intervals and bootstrap, against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES
from tunefront.reports.confirmation.image_scores import N_RESAMPLES, drawn_scores
from tunefront.reports.confirmation.statistics import (
    Estimate,
    beaten_shares,
    drawn_half_width,
    estimate,
    front_shares,
    mean_of_means,
    resampled_means,
    seed_noise,
    share_half_width,
    within_limits,
)
from tunefront.storage.answers import Answers

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


@pytest.mark.parametrize(("n_right", "n"), [(349, 359), (359, 359), (0, 359), (10, 20), (1, 20), (9999, 10_000)])
def test_a_shares_interval_is_wilsons_longer_side(n_right: int, n: int) -> None:
    wilson = stats.binomtest(n_right, n).proportion_ci(method="wilson")
    share = n_right / n
    assert share_half_width(share, n) == pytest.approx(max(share - wilson.low, wilson.high - share), abs=1e-12)


def test_a_share_of_an_unknown_number_of_images_has_no_interval() -> None:
    assert share_half_width(0.9, 0) == 0.0
    assert share_half_width(math.nan, 100) == 0.0


def test_intervals_of_seeds_and_images_add_up_as_variances_do() -> None:
    found = estimate([0.9, 0.9], 0.02)  # two seeds that agree by chance
    assert found.half_width == 0.02
    assert found.mean + found.prediction_half_width == 0.92
    assert Estimate(0.5, 0.3, 3, 0.4).half_width == pytest.approx(0.5)
    assert math.isnan(estimate([0.9], 0.02).half_width)


def test_the_longer_side_of_what_was_drawn_counts() -> None:
    drawn = np.concatenate([np.linspace(0, 1, 1001), [np.nan]])
    assert drawn_half_width(0.6, drawn) == pytest.approx(0.575)
    assert drawn_half_width(0.3, drawn) == pytest.approx(0.675)
    assert drawn_half_width(1.0, np.ones(50)) == 0.0


def test_the_mean_of_two_means_has_welchs_interval() -> None:
    one, other = [0.1, 0.14, 0.11], [0.2, 0.4, 0.1, 0.35]
    found = mean_of_means([estimate(one), estimate(other)])
    welch = stats.ttest_ind(one, [-value for value in other], equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((welch.low / 2, welch.high / 2))
    assert found.n == 2


@pytest.mark.parametrize(
    ("freedom", "factor"), [(1, 13.97), (2, 4.53), (3, 3.31), (4, 2.87), (5, 2.65), (10, 2.28), (20, 2.13), (50, 2.05)]
)
def test_few_seeds_make_more_of_two_standard_errors(freedom: int, factor: float) -> None:
    # The factors for 95.45 % of the Guide to the Expression of Uncertainty in Measurement, table G.2.
    assert seed_noise([0.09, 0.0], [freedom, 1], 2.0) == pytest.approx(0.3 * factor, rel=2e-3)


def test_the_noise_of_two_means_is_welchs() -> None:
    first, second = [0.90, 0.93, 0.97], [0.91, 0.912, 0.92, 0.921]
    found = stats.ttest_ind(first, second, equal_var=False)
    low, high = found.confidence_interval(confidence_level=2 * stats.norm.cdf(2) - 1)
    variances = [np.var(values, ddof=1) / len(values) for values in (first, second)]
    assert seed_noise(variances, [2, 3], 2.0) == pytest.approx((high - low) / 2)
    assert seed_noise([0.0, 0.0], [2, 0], 2.0) == 0.0


def test_the_mean_of_one_mean_is_itself_and_of_single_values_has_no_interval() -> None:
    assert mean_of_means([estimate([0.1, 0.3])]) == Estimate(
        pytest.approx(0.2), pytest.approx(estimate([0.1, 0.3]).half_width), 1
    )
    assert mean_of_means([estimate([0.1, 0.1])]).half_width == 0.0
    assert math.isnan(mean_of_means([estimate([0.1, 0.3]), estimate([0.2])]).half_width)
    assert math.isnan(mean_of_means([]).mean)


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
    expected = [estimate(list(others)) for _, *others in draws]
    is_above = [
        one > found.mean + found.prediction_half_width for (one, *_), found in zip(draws, expected, strict=True)
    ]
    assert np.mean(is_above) == pytest.approx(0.025, abs=0.008)


def repeated(*points: tuple[float, float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return resamples that are all the same."""
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


Trainings = list[tuple[list[int], float]]  # one candidate's trainings: which images are right, and the bytes


def paired(candidates: list[Trainings]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return resampled means of accuracy and memory, with images and seeds drawn together."""
    rights = [right for trainings in candidates for right, _ in trainings]
    drawn = drawn_scores({i: Answers([1] * len(right), right) for i, right in enumerate(rights)}, "accuracy", 2)
    numbers = iter(range(len(rights)))
    scores = [np.column_stack([drawn[next(numbers)] for _ in trainings]) for trainings in candidates]
    samples = [np.array([[np.mean(right), size] for right, size in trainings]) for trainings in candidates]
    return resampled_means(samples, scores, score_column=0)


def test_two_seeds_that_agree_by_chance_leave_open_what_other_images_would_say() -> None:
    # Both have 96 of 100 right with both seeds; the larger one is wrong on other images than the smaller one.
    larger, smaller = [0] * 4 + [1] * 96, [1] * 96 + [0] * 4
    means = paired([[(larger, 101.0)] * 2, [(smaller, 100.0)] * 2])
    assert front_shares(means, BOTH) == pytest.approx([0.5, 1.0], abs=0.04)
    difference = means[:, 0, 0] - means[:, 1, 0]
    # By hand: each image counts -1, 0 or 1, 8 of 100 of them 1 or -1, so its variance is 0.08.
    assert difference.std() == pytest.approx((0.08 / 100) ** 0.5, rel=0.06)
    assert difference.mean() == pytest.approx(0.0, abs=0.002)


def test_what_is_hard_for_all_is_no_difference() -> None:
    # 70 of 100 are wrong for both; the smaller one is right on 12 of those where the larger one is not.
    larger, smaller = [0] * 82 + [1] * 18, [0] * 70 + [1] * 30
    means = paired([[(larger, 101.0)] * 3, [(smaller, 100.0)] * 3])
    assert beaten_shares(means, BOTH)[0, 1] == 1.0
    assert (means[:, 0, 0] - means[:, 1, 0]).std() == pytest.approx((0.12 * 0.88 / 100) ** 0.5, rel=0.06)


def test_equals_on_every_image_are_told_apart_by_lot() -> None:
    """Two saturated networks may be right on all images; that does not show that the larger one is no better."""
    means = paired([[([1] * 50, 101.0)] * 3, [([1] * 50, 100.0)] * 3])
    assert beaten_shares(means, BOTH)[0, 1] == pytest.approx(0.5, abs=0.04)
    assert means[:, :, 0] == pytest.approx(1.0)


def test_seeds_and_images_spread_together() -> None:
    random = np.random.default_rng(2)
    rights = [(random.random(400) < share).astype(int).tolist() for share in (0.7, 0.8, 0.9)]
    means = paired([[(right, 1.0) for right in rights]])[:, 0, 0]
    of_seeds = np.var([np.mean(right) for right in rights], ddof=1) / 3
    of_images = np.var(np.mean(rights, axis=0)) / 400
    assert of_seeds + of_images < means.var() < of_seeds + 3 * of_images


def made_up(random: np.random.Generator, shift: float) -> list[Trainings]:
    """Draw three seeds of two candidates on 360 images; the second is better by `shift`, and smaller."""
    hardness = random.normal(0, 2, 360)
    return [
        [
            (
                (logit + hardness + own + random.normal(0, 0.1) + random.normal(0, 0.7, 360) > 0).astype(int).tolist(),
                size,
            )
            for _ in range(3)
        ]
        for logit, size, own in (
            (2.9, 101.0, random.normal(0, 0.7, 360)),
            (2.9 + shift, 100.0, random.normal(0, 0.7, 360)),
        )
    ]


@pytest.mark.parametrize(("shift", "least", "most"), [(0.0, 0, 2), (1.0, 18, 20)])
def test_equals_are_seldom_left_out_and_what_is_clearly_worse_is(shift: float, least: int, most: int) -> None:
    random = np.random.default_rng(11)
    beaten = [beaten_shares(paired(made_up(random, shift)), BOTH)[0, 1] for _ in range(20)]
    assert least <= np.sum(np.array(beaten) >= 0.95) <= most


def test_a_limit_on_a_measure_that_is_no_objective_keeps_off_the_front() -> None:
    means = repeated((0.9, 1.0), (0.8, 2.0))  # the first one beats the second
    outside = np.array([True, False])
    assert front_shares(means, BOTH, outside).tolist() == [0.0, 1.0]
    assert beaten_shares(means, BOTH, outside).tolist() == [[1, 1], [0, 0]]
