"""Statistics of several trainings of each candidate: intervals, and how certain the front of their means is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.dominance import losses, on_front
from tunefront.objectives.limits import Objective
from tunefront.reports.confirmation.image_scores import N_RESAMPLES

CONFIDENCE = 0.95
ENOUGH_SEEDS = 3  # with fewer, no statement is certain: two trainings may agree by chance
_TIE_TOLERANCE = 1e-11  # far less than one image can change a score, and more than rounding errors


@dataclass(frozen=True)
class Estimate:
    """A mean over trainings with its 95 % interval, from the seeds by Student's t and from the choice of images.

    Attributes:
        mean: NaN if there is no value.
        seed_half_width: Half of the interval that the seeds alone give. NaN with fewer than two values.
        n: The number of values.
        image_half_width: The longer side of the interval that the choice of images alone gives; 0 if that is not
            known, or the value is no score of images.
    """

    mean: float
    seed_half_width: float
    n: int
    image_half_width: float = 0.0

    @property
    def half_width(self) -> float:
        """Half of the interval from seeds and images together: the squares are added, as for variances."""
        return math.hypot(self.seed_half_width, self.image_half_width)

    @property
    def low(self) -> float:
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        return self.mean + self.half_width

    @property
    def prediction_half_width(self) -> float:
        """Half of the 95 % prediction interval, which is for one more such value and not for their mean."""
        return math.hypot(self.seed_half_width * math.sqrt(self.n + 1), self.image_half_width)


def estimate(values: Sequence[float], image_half_width: float = 0.0) -> Estimate:
    """Return the mean of `values` with its interval, taking them as a sample of a normal distribution."""
    from scipy.special import stdtrit

    n = len(values)
    mean = float(np.mean(values)) if n else math.nan
    if n < 2:
        return Estimate(mean, math.nan, n, image_half_width)
    quantile = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2))
    return Estimate(mean, quantile * float(np.std(values, ddof=1)) / math.sqrt(n), n, image_half_width)


def mean_of_means(means: Sequence[Estimate]) -> Estimate:
    """Return the mean of several candidates' means, with the interval that their seeds give.

    The interval is Student's with the degrees of freedom of Welch and Satterthwaite, because candidates may vary by
    different amounts. It is NaN if a candidate has a single value.

    Returns:
        An estimate whose values are `means`, so that `n` is their number.
    """
    from scipy.special import stdtrit

    n = len(means)
    mean = float(np.mean([found.mean for found in means])) if n else math.nan
    freedom = np.array([found.n - 1.0 for found in means])
    if not n or freedom.min() < 1:
        return Estimate(mean, math.nan, n)
    halves = np.array([found.seed_half_width for found in means])
    variances = (halves / stdtrit(freedom, (1 + CONFIDENCE) / 2)) ** 2
    if not variances.any():
        return Estimate(mean, 0.0, n)
    pooled = variances.sum() ** 2 / (variances**2 / freedom).sum()
    return Estimate(mean, float(stdtrit(pooled, (1 + CONFIDENCE) / 2) * math.sqrt(variances.sum()) / n), n)


def seed_noise(variances: Sequence[float], freedom: Sequence[float], n_errors: float) -> float:
    """Return what stands for `n_errors` standard errors where few seeds tell the variances of means.

    The quantile of the normal distribution at `n_errors` becomes Student's, with the degrees of freedom of Welch and
    Satterthwaite.

    Args:
        variances: The variance of each mean; 0 for one that tells nothing.
        freedom: The degrees of freedom of each.
    """
    from scipy.special import stdtrit

    parts = [(variance, n) for variance, n in zip(variances, freedom, strict=True) if variance > 0]
    if not parts:
        return 0.0
    whole = sum(variance for variance, _ in parts)
    pooled = whole**2 / sum(variance**2 / n for variance, n in parts)
    return float(stdtrit(pooled, NormalDist().cdf(n_errors))) * math.sqrt(whole)


def share_half_width(share: float, n_images: int) -> float:
    """Return the longer side of Wilson's 95 % interval for a share of `n_images`; 0 if their number is not known."""
    low, high = share_interval(share, n_images)
    return 0.0 if math.isnan(low) else max(share - low, high - share)


def share_interval(share: float, n_images: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval for a share of `n_images`; NaN if the share or the number is not known.

    It is wider than 0 even if the share is 0 or 1 (Wilson, JASA 1927; Brown, Cai and DasGupta, Statistical Science
    2001).
    """
    if not n_images or math.isnan(share):
        return math.nan, math.nan
    square = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) ** 2
    centre = (share + square / (2 * n_images)) / (1 + square / n_images)
    spread = math.sqrt(square * share * (1 - share) / n_images + (square / (2 * n_images)) ** 2)
    half_width = spread / (1 + square / n_images)
    return max(centre - half_width, 0.0), min(centre + half_width, 1.0)


def drawn_half_width(mean: float, drawn: NDArray[np.float64]) -> float:
    """Return the longer side of the interval with 95 % of `drawn`, shape (b,), about `mean`; NaNs are left out."""
    low, high = np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return max(mean - float(low), float(high) - mean, 0.0)


def resampled_means(
    samples: Sequence[NDArray[np.float64]],
    scores: Sequence[NDArray[np.float64]] | None = None,
    score_column: int | None = None,
    score_size: float = 1.0,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Resample the mean of each candidate's trainings with replacement: a bootstrap over seeds, and over images.

    A training is drawn with all of its values, so that correlations between them are kept. Resampled means of n values
    spread too little, by the factor sqrt((n - 1) / n), so they are stretched about the candidate's own mean
    (Hesterberg, "What Teachers Should Know About the Bootstrap", arXiv 1411.5279, on narrowness bias). Means that
    differ only by rounding are made equal, so that ties stay ties.

    With `scores`, images are drawn too, in each resample the same for all candidates. This is a pigeonhole bootstrap
    (Owen, Annals of Applied Statistics 2007). It is cautious, because it counts up to three times an error that only
    one seed makes on one image.

    Args:
        samples: For each of k candidates its trainings, shape (n, m) for n trainings and m objectives. n may differ,
            but must be at least 2: the mean of a single training would not vary and would seem certain.
        scores: For each candidate the scores of its trainings on drawn images, shape (:data:`N_RESAMPLES`, n).
        score_column: Which of the m objectives is a score of images. If two models are right on equally many images,
            these images do not tell which is better, so equal means of the score are put in a random order.
        score_size: The size of scores: they count as equal if they differ by less than 1e-11 of it.

    Returns:
        Means of shape (:data:`N_RESAMPLES`, k, m).
    """
    random = np.random.default_rng(seed)
    columns = []
    for place, sample in enumerate(samples):
        n = len(sample)
        values = np.broadcast_to(sample, (N_RESAMPLES, *sample.shape))
        if scores is not None and score_column is not None:
            values = values.copy()
            values[:, :, score_column] = scores[place]
        picked = random.integers(n, size=(N_RESAMPLES, n, 1))
        own, drawn = values.mean(axis=1), np.take_along_axis(values, picked, axis=1).mean(axis=1)
        columns.append(own + (drawn - own) * math.sqrt(n / (n - 1)))
    means = np.stack(columns, axis=1)
    means = np.array([float(f"{value:.12g}") for value in means.flat]).reshape(means.shape)
    if score_column is not None:
        tolerance = score_size * _TIE_TOLERANCE
        means[..., score_column] += random.uniform(-tolerance, tolerance, means.shape[:2])
    return means


def within_limits(
    means: NDArray[np.float64], objectives: Sequence[Objective], outside: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Find the resamples in which each candidate keeps all limits: `means` of shape (b, k, m) give (b, k).

    Args:
        outside: Whether each candidate breaks a limit on a measure that is no objective, shape (k,), in all resamples.
    """
    is_within = np.ones(means.shape[:2], dtype=bool)
    if outside is not None:
        is_within &= ~outside
    for values, objective in zip(np.moveaxis(means, -1, 0), objectives, strict=True):
        if objective.at_least is not None:
            is_within &= values >= objective.at_least
        if objective.at_most is not None:
            is_within &= values <= objective.at_most
    return is_within


def front_shares(
    means: NDArray[np.float64], objectives: Sequence[Objective], outside: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the share of resamples in which each candidate is within the limits and on the front, shape (k,)."""
    directions = [objective.measure.direction for objective in objectives]
    # A candidate that breaks a limit becomes NaN, because NaN is never on the front and dominates nothing.
    points = np.where(within_limits(means, objectives, outside)[..., np.newaxis], means, np.nan)
    shares: NDArray[np.float64] = np.mean([on_front(resample, directions) for resample in points], axis=0)
    return shares


def beaten_shares(
    means: NDArray[np.float64], objectives: Sequence[Objective], outside: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the share of resamples in which candidate i is beaten by candidate j, shape (k, k).

    It is beaten if it breaks a limit, or if j keeps the limits and dominates it. The diagonal has the share of
    resamples in which i breaks a limit.
    """
    n_candidates, n_objectives = means.shape[1:]
    directions = [objective.measure.direction for objective in objectives]
    turned = losses(means.reshape(-1, n_objectives), directions).reshape(means.shape)
    is_within = within_limits(means, objectives, outside)
    shares = np.empty((n_candidates, n_candidates))
    for j in range(n_candidates):  # a single array for all pairs of hundreds of candidates would take gigabytes
        other = turned[:, j : j + 1]
        is_dominated = (other <= turned).all(axis=-1) & (other < turned).any(axis=-1)
        shares[:, j] = (~is_within | (is_dominated & is_within[:, j : j + 1])).mean(axis=0)
    return shares
