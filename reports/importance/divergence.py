"""How far the values of a parameter in the best trials differ from those in all trials, and how far by chance.

The measure is that of PED-ANOVA (https://arxiv.org/abs/2304.10255), in its form for parameters that only some trials
have (https://arxiv.org/abs/2601.20800). Optuna has both, but takes seconds for what here takes a fraction of one: there
each kernel density has its own bandwidth, here all of a parameter's have the same, so that one matrix product makes
thousands of them. That many are needed to know what chance does.
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

_N_POINTS = 50  # of a grid over a range
MIN_DRAWS = 2000
_PRIOR = 1.0  # trials' worth of an even density, which keeps densities above 0


@dataclass(frozen=True)
class Divergence:
    """Of one parameter, for one set of best trials.

    Attributes:
        beyond_chance: Pearson's divergence of the best trials' density from all trials', less its mean by chance.
        chance: How likely chance makes it so large.
    """

    beyond_chance: float
    chance: float


@dataclass(frozen=True)
class Values:
    """A parameter's values, ready to be compared.

    Attributes:
        members: Which trials have the parameter, drawn from one distribution: indices, ascending.
        kernels: The density that each of them adds, shape (members, points of the grid); rows add up to 1.
    """

    members: NDArray[np.int64]
    kernels: Floats

    @classmethod
    def of(cls, name: str, trials: Sequence[TrialRecord]) -> list[Values]:
        """One for each distribution from which trials drew the parameter; what cannot vary is left out."""
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
        """For each row of `is_best`, shape (sets, members): 0 for a set of none."""
        n_best, prior = is_best.sum(axis=1), _PRIOR / self.kernels.shape[1]
        best = (is_best @ self.kernels + prior) / (n_best[:, None] + _PRIOR)
        every = (self.kernels.sum(axis=0) + prior) / (len(self.members) + _PRIOR)
        return np.where(n_best > 0, ((best / every - 1) ** 2) @ every, 0.0)


class Draws:
    """Sets of trials drawn at random, the same ones whenever they are asked for.

    Args:
        blocks: Of each trial. A set holds as many trials of each block as the best trials do.
        n_sets: How many are drawn.
    """

    def __init__(self, blocks: NDArray[np.int64], n_sets: int = MIN_DRAWS) -> None:
        self._blocks = blocks
        self.n_sets = n_sets
        self._order = np.random.default_rng(0).random((n_sets, len(blocks)))
        self._drawn: dict[tuple[bytes, bytes], NDArray[np.bool_]] = {}

    def like(self, is_best: NDArray[np.bool_], members: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Sets among `members`, of as many as are best there. Shape (sets, members)."""
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
    """Of one parameter. The best are compared with sets of as many trials, drawn among those that have the parameter.

    So a parameter of one optimizer does not stand out merely because that optimizer is the best one.
    """
    found, by_chance = 0.0, np.zeros(draws.n_sets)
    for each in values:
        is_here = is_best[each.members]
        share_of_best, share_of_all = is_here.sum() / is_best.sum(), len(each.members) / len(is_best)
        weight = float(share_of_best**2 / share_of_all)
        found += weight * float(each.divergences(is_here[None, :])[0])
        by_chance += weight * each.divergences(draws.like(is_best, each.members))
    is_as_large = by_chance >= found - 1e-9  # equal sets differ by rounding
    return Divergence(found - float(by_chance.mean()), (1 + int(is_as_large.sum())) / (1 + draws.n_sets))


def _kernels(distribution: BaseDistribution, values: Sequence[Any]) -> Floats:
    if isinstance(distribution, CategoricalDistribution):
        places = [int(distribution.to_internal_repr(value)) for value in values]
        return np.eye(len(distribution.choices))[places]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    scale = np.log if distribution.log else np.asarray
    low, high = scale([distribution.low, distribution.high])
    n_points = _N_POINTS
    if distribution.step and not distribution.log:
        n_points = min(round((distribution.high - distribution.low) / distribution.step) + 1, _N_POINTS)
    at = (scale(values) - low) / (high - low) * (n_points - 1)
    # Scott's rule; never so narrow that a kernel falls between two points.
    bandwidth = max(1.06 * float(at.std()) * len(at) ** -0.2, 0.3)
    distance = (np.arange(n_points)[None, :] - at[:, None]) / bandwidth
    kernels: Floats = np.exp(-0.5 * distance**2)
    densities: Floats = kernels / kernels.sum(axis=1, keepdims=True)
    return densities
