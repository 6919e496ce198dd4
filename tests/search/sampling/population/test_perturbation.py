"""Perturbed settings, by hand: factors, ends of ranges, neighbours of steps and lists, and new draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tunefront.search.sampling.population.perturbation import perturbed
from tunefront.search.spec.samplers import PbtTable

ALWAYS_MOVED = PbtTable(resample_probability=0.0)
ALWAYS_DRAWN = PbtTable(resample_probability=1.0)


def values(value: Any, distribution: BaseDistribution, table: PbtTable, n: int = 200) -> list[Any]:
    random = np.random.default_rng(0)
    return [perturbed({"x": value}, {"x": distribution}, table, random)["x"] for _ in range(n)]


@pytest.mark.parametrize(
    ("value", "distribution", "expected"),
    [
        (0.01, FloatDistribution(0.001, 0.1, log=True), {0.008, 0.012}),
        (0.09, FloatDistribution(0.001, 0.1, log=True), {0.072, 0.1}),  # 0.108 is beyond the range
        (0.0011, FloatDistribution(0.001, 0.1), {0.001, 0.00132}),
        (0.0, FloatDistribution(0.0, 0.5), {0.0}),  # only a new draw leaves 0
        (0.3, FloatDistribution(0.0, 0.5, step=0.1), {0.2, 0.4}),
        (0.5, FloatDistribution(0.0, 0.5, step=0.1), {0.4, 0.5}),
        (0.0, FloatDistribution(0.0, 0.5, step=0.1), {0.0, 0.1}),
        (0.9, CategoricalDistribution((0.9, 0.0, 0.5)), {0.5, 0.9}),  # a list in no order
        (0.5, CategoricalDistribution((0.9, 0.0, 0.5)), {0.0, 0.9}),
        (3, IntDistribution(1, 7, step=2), {1, 5}),
    ],
)
def test_a_value_goes_up_or_down_within_its_range(
    value: Any, distribution: BaseDistribution, expected: set[Any]
) -> None:
    found = values(value, distribution, ALWAYS_MOVED)
    assert {round(one, 12) for one in found} == expected
    shares = [sum(round(one, 12) == wanted for one in found) / len(found) for wanted in expected]
    assert min(shares) > 0.35  # a coin decides


@pytest.mark.parametrize("table", [ALWAYS_MOVED, ALWAYS_DRAWN])
def test_a_list_that_is_not_of_numbers_alone_is_in_the_order_of_its_space(table: PbtTable) -> None:
    choices = ("spatial", None, 0.2)
    expected: dict[Any, set[Any]] = {"spatial": {"spatial", None}, None: {"spatial", 0.2}, 0.2: {None, 0.2}}
    for value, neighbours in expected.items():
        wanted = neighbours if table is ALWAYS_MOVED else set(choices)
        assert set(values(value, CategoricalDistribution(choices), table)) == wanted


def test_the_factors_are_the_tables() -> None:
    table = PbtTable(resample_probability=0.0, low_factor=0.5, high_factor=3.0)
    assert set(values(0.01, FloatDistribution(0.0, 1.0), table)) == {0.005, 0.03}


def test_a_new_draw_is_spread_over_the_range() -> None:
    rates = np.array(values(0.01, FloatDistribution(1e-4, 1e-2, log=True), ALWAYS_DRAWN, 2000))
    assert rates.min() >= 1e-4
    assert rates.max() <= 1e-2
    assert np.mean(rates < 1e-3) == pytest.approx(0.5, abs=0.04)  # half of a log range of two decades
    shares = np.array(values(0.1, FloatDistribution(0.0, 0.5), ALWAYS_DRAWN, 2000))
    assert np.mean(shares < 0.1) == pytest.approx(0.2, abs=0.04)
    assert set(values(0.1, FloatDistribution(0.0, 0.5, step=0.25), ALWAYS_DRAWN)) == {0.0, 0.25, 0.5}


def test_the_probability_of_a_new_draw_is_the_tables() -> None:
    moved = {0.008, 0.012}
    found = values(0.01, FloatDistribution(0.001, 0.1), PbtTable(resample_probability=0.25), 2000)
    assert np.mean([round(one, 12) not in moved for one in found]) == pytest.approx(0.25, abs=0.04)


def test_each_parameter_has_a_chance_of_its_own_and_equal_seeds_give_equal_values() -> None:
    parameters = {"b": 0.01, "a": 0.2}
    distributions = dict.fromkeys(parameters, FloatDistribution(0.001, 1.0))
    found = [perturbed(parameters, distributions, ALWAYS_MOVED, np.random.default_rng(seed)) for seed in range(40)]
    assert {(round(one["a"], 12), round(one["b"], 12)) for one in found} == {
        (0.16, 0.008),
        (0.16, 0.012),
        (0.24, 0.008),
        (0.24, 0.012),
    }
    again = perturbed(dict(reversed(parameters.items())), distributions, ALWAYS_MOVED, np.random.default_rng(7))
    assert again == found[7]  # in whichever order they come
