"""The noise of a score: what the choice of so many images leaves open."""

from __future__ import annotations

import math

from tunefront.objectives.measures import Measure

STANDARD_ERRORS = 2.0  # a difference below so many standard errors may be chance


def standard_error(score: float, n_images: int, measure: Measure) -> float:
    """Return the standard error of a score on `n_images`; NaN if it is not known.

    Of a share it is the binomial one. Two extra images, one right, keep it above 0 where all are right. F1, precision,
    recall and AUC are taken as shares of as many images. An error of predicted numbers that are off by a normal
    distribution has `score / sqrt(2 n)` (rmse) and `0.756 score / sqrt(n)` (mae); 1 - R2 is a ratio of squares, with
    twice the relative error of an rmse; the variance of the labels is taken as it is, because models are compared on
    the same ones.
    """
    if n_images <= 0 or math.isnan(score):
        return math.nan
    if measure.unit == "fraction":
        smoothed = (score * n_images + 1) / (n_images + 2)
        return math.sqrt(smoothed * (1 - smoothed) / n_images)
    if measure.name == "mae":
        return math.sqrt(math.pi / 2 - 1) * score / math.sqrt(n_images)
    if measure.name == "r2":
        return 2 * (1 - score) / math.sqrt(2 * n_images)
    return score / math.sqrt(2 * n_images)


def noise(score: float, n_images: int, measure: Measure) -> float:
    """Return the difference in a score on `n_images` that may be chance: two standard errors."""
    return STANDARD_ERRORS * standard_error(score, n_images, measure)
