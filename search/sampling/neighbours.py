"""The neighbours of a candidate: those that differ in one parameter, by one step of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import SteeredTrial, steer
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space

_SHARE = 0.01  # of a continuous range, or of its logarithm: one step of it


def neighbours(space: Space | OwnSpace, candidate: SteeredTrial, random: np.random.Generator) -> Iterator[SteeredTrial]:
    """Yield the candidates that differ in one parameter by one step, in random order.

    A parameter that only the neighbour has takes its first value.
    """
    moves = [
        (name, value)
        for name, distribution in candidate.distributions.items()
        for value in next_values(distribution, candidate.params[name])
    ]
    for place in random.permutation(len(moves)):
        name, value = moves[place]
        try:
            found = steer(space, {**candidate.params, name: value})
        except SpaceError:  # a space of one's own that does not allow this combination
            continue
        if all(_has(found.distributions[key], chosen) for key, chosen in found.params.items()):
            yield found


def next_values(distribution: BaseDistribution, value: Any) -> Sequence[Any]:
    """Return the values that are one step away: the next ones of numbers, and every other one of names."""
    if isinstance(distribution, CategoricalDistribution):
        options = distribution.choices
        if not all(isinstance(option, int | float) and not isinstance(option, bool) for option in options):
            return [option for option in options if option != value]
        ordered = sorted(options)  # type: ignore[type-var]
        place = ordered.index(value)
        return [*ordered[max(place - 1, 0) : place], *ordered[place + 1 : place + 2]]
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high = distribution.low, distribution.high
    if distribution.step is not None:
        near = [value - distribution.step, value + distribution.step]
        if isinstance(distribution, FloatDistribution):
            near = [round(one, 12) for one in near]
    elif distribution.log:
        factor = (high / low) ** _SHARE
        near = [value / factor, value * factor]
    else:
        near = [value - (high - low) * _SHARE, value + (high - low) * _SHARE]
    return [one for one in near if low <= one <= high and one != value]


def _has(distribution: BaseDistribution, value: Any) -> bool:
    return distribution._contains(distribution.to_internal_repr(value))


def key_of(parameters: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    """Return what two equal candidates share; the sums by which steps are counted differ in their last digits."""
    return frozenset((name, _rounded(value)) for name, value in parameters.items())


def _rounded(value: Any) -> Any:
    return float(f"{value:.12g}") if isinstance(value, float) and math.isfinite(value) else value
