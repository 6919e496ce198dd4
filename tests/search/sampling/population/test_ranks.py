"""The best and the worst of a population, by hand."""

from __future__ import annotations

import pytest

from tunefront.search.sampling.population.ranks import quantiles

LOSSES = {10: 0.4, 11: 0.1, 12: 0.9, 13: 0.3, 14: 0.2, 15: 0.8, 16: 0.5, 17: 0.7}


@pytest.mark.parametrize(
    ("numbers", "quantile", "best", "worst"),
    [
        (range(10, 18), 0.25, [11, 14], [12, 15]),
        (range(10, 18), 0.125, [11], [12]),
        (range(10, 18), 0.24, [11], [12]),  # 1.92 of 8
        (range(10, 18), 0.5, [11, 14, 13, 10], [12, 15, 17, 16]),
        (range(10, 13), 0.25, [], []),  # 0.75 of 3
        (range(10, 14), 0.25, [11], [12]),
        ([], 0.25, [], []),
    ],
)
def test_the_quantiles_are_rounded_down(numbers: range, quantile: float, best: list[int], worst: list[int]) -> None:
    assert quantiles({number: LOSSES[number] for number in numbers}, quantile) == (best, worst)


def test_a_product_that_is_a_little_below_a_whole_number_counts_as_that() -> None:
    assert 0.29 * 100 < 29
    assert len(quantiles({number: float(number) for number in range(100)}, 0.29)[0]) == 29


@pytest.mark.parametrize(
    ("n_replaced", "best", "worst"),
    [(0, [11, 14], [12, 15]), (1, [11, 14], [12]), (2, [11, 14], []), (3, [11, 14], [])],
)
def test_who_was_replaced_keeps_a_place_among_the_worst(n_replaced: int, best: list[int], worst: list[int]) -> None:
    assert quantiles(LOSSES, 0.25, n_replaced) == (best, worst)


def test_of_equal_members_the_earlier_one_is_better() -> None:
    assert quantiles({3: 0.5, 1: 0.5, 2: 0.5, 0: 0.5}, 0.25) == ([0], [3])
