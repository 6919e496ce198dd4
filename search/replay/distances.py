"""The distances of recorded candidates from one that was asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution


class GowerDistances:
    """The parameters of n recorded candidates, column by column.

    The distance follows J. C. Gower, A general coefficient of similarity and some of its properties (1971). Ours counts
    a parameter that only one of the two has as wholly different.
    """

    def __init__(self, recorded: Sequence[Mapping[str, Any]]) -> None:
        names = list(dict.fromkeys(name for parameters in recorded for name in parameters))
        self._is_present = {name: np.array([name in parameters for parameters in recorded]) for name in names}
        self._values = {name: _column(recorded, name) for name in names}
        self._n_parameters = np.array([len(parameters) for parameters in recorded])

    def to(self, asked: Mapping[str, Any], distributions: Mapping[str, BaseDistribution]) -> NDArray[np.float64]:
        """Return the mean difference of parameters between `asked` and each candidate, shape (n,), 0 to 1.

        Numbers differ by the share of their range that lies between them, on a log scale if the range has one;
        choices differ by 0 or 1. A parameter that neither has does not count.
        """
        differences = np.zeros(len(self._n_parameters))
        n_shared = np.zeros(len(self._n_parameters))
        for name in asked.keys() & self._values.keys():
            is_present = self._is_present[name]
            there = self._values[name][is_present]
            differences[is_present] += _differences(distributions[name], asked[name], there)
            n_shared += is_present
        n_counted = len(asked) + self._n_parameters - n_shared
        differences += n_counted - n_shared  # parameters that only one of the two has
        return np.divide(differences, n_counted, out=np.zeros_like(differences), where=n_counted > 0)


def _column(recorded: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.object_]:
    column = np.empty(len(recorded), dtype=object)
    column[:] = [parameters.get(name) for parameters in recorded]
    return column


def _differences(distribution: BaseDistribution, value: Any, others: NDArray[np.object_]) -> NDArray[np.float64]:
    if isinstance(distribution, CategoricalDistribution):
        return np.array([other != value for other in others], dtype=float)
    if not isinstance(distribution, FloatDistribution | IntDistribution) or distribution.single():
        return np.zeros(len(others))
    low, high, numbers = float(distribution.low), float(distribution.high), others.astype(float)
    if distribution.log:
        low, high, value, numbers = math.log(low), math.log(high), math.log(value), np.log(numbers)
    differences: NDArray[np.float64] = np.minimum(np.abs(numbers - value) / (high - low), 1.0)
    return differences
