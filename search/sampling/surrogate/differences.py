"""The differences between candidates, one for each parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution


class Differences:
    """The differences between candidates of one space, each between 0 and 1.

    Numbers differ by the share of their range that lies between them, on a log scale if the range has one; choices
    differ by 0 or 1. A parameter that only one of two candidates has differs by 1, and one that neither has by 0.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution]) -> None:
        self._distributions = {name: one for name, one in distributions.items() if not one.single()}

    def between(self, ones: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Return the differences of n candidates from m others, shape (parameters, n, m)."""
        found = np.zeros((len(self._distributions), len(ones), len(others)))
        for place, (name, distribution) in enumerate(self._distributions.items()):
            rows, columns = (_coordinates(distribution, name, candidates) for candidates in (ones, others))
            apart = np.abs(rows[:, None] - columns[None])
            if isinstance(distribution, CategoricalDistribution):
                apart = np.where(np.isnan(apart), np.nan, apart > 0)
            is_missing = np.isnan(rows)[:, None] == np.isnan(columns)[None]  # in both or in neither
            found[place] = np.where(np.isnan(apart), ~is_missing, np.minimum(apart, 1.0))
        return found


def _coordinates(
    distribution: BaseDistribution, name: str, candidates: Sequence[Mapping[str, Any]]
) -> NDArray[np.float64]:
    """Return the place of each value in its range, 0 to 1, or the number of its choice; NaN for one that is missing."""
    values = [distribution.to_internal_repr(one[name]) if name in one else math.nan for one in candidates]
    found = np.array(values, dtype=float)
    if isinstance(distribution, CategoricalDistribution):
        return found
    assert isinstance(distribution, IntDistribution | FloatDistribution)  # there are no others
    low, high = float(distribution.low), float(distribution.high)
    if distribution.log:
        low, high, found = math.log(low), math.log(high), np.log(found)
    return (found - low) / (high - low)
