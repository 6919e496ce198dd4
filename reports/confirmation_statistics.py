"""What several trainings of each candidate tell: intervals, and how sure the front of their means is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from objectives import Objective, losses, on_front

CONFIDENCE = 0.95
N_RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean over trainings, and half its 95 % interval by Student's t.

    Attributes:
        mean: NaN if there is no value.
        half_width: NaN with fewer than two values.
        n: Values.
    """

    mean: float
    half_width: float
    n: int

    @property
    def low(self) -> float:
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        return self.mean + self.half_width

    @property
    def highest_expected(self) -> float:
        """The upper end of the 95 % prediction interval: where one more such value lies, not where their mean does."""
        return self.mean + self.half_width * math.sqrt(self.n + 1)


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of `values`, which are taken as a sample of a normal distribution, with its interval."""
    from scipy.special import stdtrit

    n = len(values)
    mean = float(np.mean(values)) if n else math.nan
    if n < 2:
        return Estimate(mean, math.nan, n)
    quantile = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2))
    return Estimate(mean, quantile * float(np.std(values, ddof=1)) / math.sqrt(n), n)


def resampled_means(samples: Sequence[NDArray[np.float64]], seed: int = 0) -> NDArray[np.float64]:
    """Means of each candidate's trainings drawn again with replacement: a bootstrap over seeds.

    A training is drawn whole, so what hangs together in it stays together. Means of few values drawn so
    spread too little, by the factor sqrt((n - 1) / n); they are spread again about the candidate's own mean
    (Hesterberg, "What Teachers Should Know About the Bootstrap", arXiv 1411.5279, on narrowness bias). Means that
    differ by rounding alone are made equal, so that ties stay ties.

    Args:
        samples: For each of k candidates its trainings, shape (n, m): n >= 2 may differ, m objectives. One training
            does not vary, and would seem to be sure.

    Returns:
        Shape (:data:`N_RESAMPLES`, k, m).
    """
    random = np.random.default_rng(seed)
    columns = []
    for values in samples:
        n = len(values)
        own = values.mean(axis=0)
        drawn = values[random.integers(n, size=(N_RESAMPLES, n))].mean(axis=1)
        columns.append(own + (drawn - own) * math.sqrt(n / (n - 1)))
    means = np.stack(columns, axis=1)
    return np.array([float(f"{value:.12g}") for value in means.flat]).reshape(means.shape)


def within_limits(means: NDArray[np.float64], objectives: Sequence[Objective]) -> NDArray[np.bool_]:
    """Which candidates keep all limits in which resample: `means` of shape (b, k, m) give (b, k)."""
    is_within = np.ones(means.shape[:2], dtype=bool)
    for values, objective in zip(np.moveaxis(means, -1, 0), objectives, strict=True):
        if objective.at_least is not None:
            is_within &= values >= objective.at_least
        if objective.at_most is not None:
            is_within &= values <= objective.at_most
    return is_within


def front_shares(means: NDArray[np.float64], objectives: Sequence[Objective]) -> NDArray[np.float64]:
    """In what share of the resamples each candidate is within the limits and on the front, shape (k,)."""
    directions = [objective.measure.direction for objective in objectives]
    # What breaks a limit counts as not there: a NaN is on no front and dominates nothing.
    points = np.where(within_limits(means, objectives)[..., np.newaxis], means, np.nan)
    shares: NDArray[np.float64] = np.mean([on_front(resample, directions) for resample in points], axis=0)
    return shares


def beaten_shares(means: NDArray[np.float64], objectives: Sequence[Objective]) -> NDArray[np.float64]:
    """In what share of the resamples candidate i breaks a limit, or j within the limits dominates it: shape (k, k).

    On the diagonal stands the share in which it breaks a limit.
    """
    n_candidates, n_objectives = means.shape[1:]
    directions = [objective.measure.direction for objective in objectives]
    turned = losses(means.reshape(-1, n_objectives), directions).reshape(means.shape)
    is_within = within_limits(means, objectives)
    shares = np.empty((n_candidates, n_candidates))
    for j in range(n_candidates):  # one at a time: all at once would take gigabytes for hundreds of candidates
        other = turned[:, j : j + 1]
        is_dominated = (other <= turned).all(axis=-1) & (other < turned).any(axis=-1)
        shares[:, j] = (~is_within | (is_dominated & is_within[:, j : j + 1])).mean(axis=0)
    return shares
