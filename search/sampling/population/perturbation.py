"""The perturbation of settings that go over from a better member of a population."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tunefront.search.spec.samplers import PbtTable


def perturbed(
    parameters: Mapping[str, Any],
    distributions: Mapping[str, BaseDistribution],
    table: PbtTable,
    random: np.random.Generator,
) -> dict[str, Any]:
    """Return changed values of parameters, each within its distribution (arXiv 1711.09846, "explore").

    Each is drawn anew with the table's probability; else it is multiplied by one of the two factors, and cut off at
    the ends of its range. Where a range has steps, or is a list, the value goes to the next one below or above.
    """
    return {
        name: _drawn(distributions[name], random)
        if random.random() < table.resample_probability
        else _moved(value, distributions[name], table, random)
        for name, value in sorted(parameters.items())
    }


def _moved(value: Any, distribution: BaseDistribution, table: PbtTable, random: np.random.Generator) -> Any:
    is_up = bool(random.random() < 0.5)
    values = _values(distribution)
    if values is None:
        assert isinstance(distribution, FloatDistribution)
        factor = table.high_factor if is_up else table.low_factor
        return float(min(max(value * factor, distribution.low), distribution.high))
    place = _place(value, values)
    return values[min(max(place + (1 if is_up else -1), 0), len(values) - 1)]


def _place(value: Any, values: Sequence[Any]) -> int:
    if value in values:
        return values.index(value)
    return min(range(len(values)), key=lambda place: abs(values[place] - value))  # a step, but for its last digit


def _drawn(distribution: BaseDistribution, random: np.random.Generator) -> Any:
    values = _values(distribution)
    if values is not None:
        return values[int(random.integers(len(values)))]
    assert isinstance(distribution, FloatDistribution)
    low, high = distribution.low, distribution.high
    if distribution.log:
        return float(min(max(math.exp(random.uniform(math.log(low), math.log(high))), low), high))
    return float(random.uniform(low, high))


def _values(distribution: BaseDistribution) -> Sequence[Any] | None:
    """Return the possible values in order; None if they cannot be counted."""
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        are_numbers = all(isinstance(choice, int | float) for choice in choices)
        return sorted(choices) if are_numbers else choices  # a user's own space may have names, or none, among them
    if isinstance(distribution, IntDistribution):
        return range(distribution.low, distribution.high + 1, distribution.step)
    assert isinstance(distribution, FloatDistribution)
    if distribution.step is None:
        return None
    n_steps = int((distribution.high - distribution.low) / distribution.step + 1e-9)
    return [round(distribution.low + place * distribution.step, 12) for place in range(n_steps + 1)]
