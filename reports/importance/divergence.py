"""The divergence of a parameter's values in the best trials from those in all trials, compared with chance.

The measure is that of PED-ANOVA (https://arxiv.org/abs/2304.10255), in its form for parameters that only some trials
have (https://arxiv.org/abs/2601.20800). Optuna has both, but takes seconds where this takes a fraction of a second. In
Optuna each kernel density has its own bandwidth. Here all densities of a parameter have the same one, so that one
matrix product computes thousands of them. Thousands are needed to estimate the effect of chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tunefront.storage.trials import TrialRecord

Floats = NDArray[np.float64]

_N_GRID_POINTS = 50  # points of the grid over a parameter's range
MIN_DRAWS = 2000
_PRIOR_TRIALS = 1.0  # weight, in trials, of a uniform density that keeps densities above 0


@dataclass(frozen=True)
class Divergence:
    """The divergence of one parameter for one set of best trials.

    Attributes:
        beyond_chance: Pearson's divergence of the best trials' density from that of all, less its mean by chance.
        chance: The probability that chance alone makes it that large.
    """

    beyond_chance: float
    chance: float


@dataclass(frozen=True)
class Values:
    """A parameter's values as kernel densities.

    Attributes:
        members: Ascending indices of the trials that have the parameter, drawn from one distribution.
        kernels: The density that each of them adds, shape (members, points of the grid); each row sums to 1.
    """

    members: NDArray[np.int64]
    kernels: Floats

    @classmethod
    def of(cls, name: str, trials: Sequence[TrialRecord]) -> list[Values]:
        """Make values for each distribution that trials drew the parameter from; one that cannot vary is left out."""
        groups: list[tuple[BaseDistribution, list[int]]] = []
        for index, trial in enumerate(trials):
            distribution = trial.distributions.get(name)
            if distribution is None or distribution.single():
                continue
            group = next((group for known, group in groups if known == distribution), None)
            if group is None:
                groups.append((distribution, [index]))
            else:
                group.append(index)
        return [
            cls(np.array(group), _kernels(distribution, [trials[index].parameters[name] for index in group]))
            for distribution, group in groups
        ]

    def divergences(self, is_best: NDArray[np.bool_]) -> Floats:
        """Return the divergence for each row of `is_best`, shape (sets, members); 0 for an empty set."""
        n_best, prior = np.count_nonzero(is_best, axis=1), _PRIOR_TRIALS / self.kernels.shape[1]
        best = (is_best @ self.kernels + prior) / (n_best[:, None] + _PRIOR_TRIALS)
        every = (self.kernels.sum(axis=0) + prior) / (len(self.members) + _PRIOR_TRIALS)
        return np.where(n_best > 0, ((best / every - 1) ** 2) @ every, 0.0)


class Draws:
    """Sets of trials drawn at random, the same sets for the same question.

    Args:
        blocks: The block of each trial. A set holds as many trials of each block as the best trials do.
        n_sets: The number of sets.
    """

    def __init__(self, blocks: NDArray[np.int64], n_sets: int = MIN_DRAWS) -> None:
        self._blocks = blocks
        self.n_sets = n_sets
        self._order = np.random.default_rng(0).random((n_sets, len(blocks)))
        self._drawn: dict[tuple[bytes, bytes], NDArray[np.bool_]] = {}

    def like(self, is_best: NDArray[np.bool_], members: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Draw sets among `members`, each with as many trials as are best there, shape (sets, members)."""
        blocks = self._blocks[members]
        n_best = np.bincount(blocks[is_best[members]], minlength=int(blocks.max()) + 1)
        key = (members.tobytes(), n_best.tobytes())
        if key not in self._drawn:
            drawn = np.zeros((self.n_sets, len(members)), dtype=bool)
            for block in np.flatnonzero(n_best):
                places = np.flatnonzero(blocks == block)
                order = self._order[:, members[places]]
                last = np.partition(order, n_best[block] - 1, axis=1)[:, n_best[block] - 1]
                drawn[:, places] = order <= last[:, None]
            self._drawn[key] = drawn
        return self._drawn[key]


def find_divergence(values: Sequence[Values], is_best: NDArray[np.bool_], draws: Draws) -> Divergence:
    """Find one parameter's divergence, and compare it with that of random sets of as many trials as are best.

    Sets are drawn among the trials that have the parameter, so that a parameter of one optimizer does not stand out
    merely because that optimizer is the best one.
    """
    found, by_chance = 0.0, np.zeros(draws.n_sets)
    for each in values:
        is_here = is_best[each.members]
        share_of_best, share_of_all = is_here.sum() / is_best.sum(), len(each.members) / len(is_best)
        weight = float(share_of_best**2 / share_of_all)
        found += weight * float(each.divergences(is_here[None, :])[0])
        by_chance += weight * each.divergences(draws.like(is_best, each.members))
    is_as_large = by_chance >= found - 1e-9  # equal sets may differ by rounding errors
    return Divergence(found - float(by_chance.mean()), (1 + int(is_as_large.sum())) / (1 + draws.n_sets))


def _kernels(distribution: BaseDistribution, values: Sequence[Any]) -> Floats:
    if isinstance(distribution, CategoricalDistribution):
        places = [int(distribution.to_internal_repr(value)) for value in values]
        return np.eye(len(distribution.choices))[places]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    scale = np.log if distribution.log else np.asarray
    low, high = scale([distribution.low, distribution.high])
    n_points = _N_GRID_POINTS
    if distribution.step and not distribution.log:
        n_points = min(round((distribution.high - distribution.low) / distribution.step) + 1, _N_GRID_POINTS)
    at = (scale(values) - low) / (high - low) * (n_points - 1)
    # The bandwidth is Scott's, but never so narrow that a kernel falls between two points of the grid.
    bandwidth = max(1.06 * float(at.std()) * len(at) ** -0.2, 0.3)
    distance = (np.arange(n_points)[None, :] - at[:, None]) / bandwidth
    kernels: Floats = np.exp(-0.5 * distance**2)
    densities: Floats = kernels / kernels.sum(axis=1, keepdims=True)
    return densities
