"""The calibration of a model: how far its probabilities can be taken at their word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tunefront.reports.class_answers.class_scores import ImageShare

LEAST = 100  # with fewer answers the bins have fewer than ten each, and tell nothing


@dataclass(frozen=True)
class Bin:
    """Answers of about one confidence.

    Attributes:
        right: The share of them that is right.
        confidence: Their mean confidence: the probability of the class that was chosen.
    """

    right: ImageShare
    confidence: float

    @property
    def gap_by_chance(self) -> float:
        """The mean distance of the share from the confidence, were each answer right with just this probability.

        It is the mean absolute deviation of a binomial distribution (de Moivre, 1730).
        """
        n, p = self.right.n, min(max(self.confidence, 0.0), 1.0)
        if p in (0.0, 1.0):
            return 0.0
        k = math.floor(n * p) + 1
        if k > n:  # n p is a whole number only where p is 1
            return 0.0
        log_choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        return 2 * k / n * math.exp(log_choose + k * math.log(p) + (n - k + 1) * math.log1p(-p))


@dataclass(frozen=True)
class Calibration:
    """The calibration of a model by the bins of its reliability diagram.

    Attributes:
        bins: Ten bins with about as many answers each, the least confident first; fewer where confidences are equal.
    """

    bins: Sequence[Bin]

    @property
    def right(self) -> ImageShare:
        """The share of all answers that is right."""
        return ImageShare(sum(each.right.n_hits for each in self.bins), sum(each.right.n for each in self.bins))

    @property
    def confidence(self) -> float:
        """The mean confidence of all answers."""
        return sum(each.right.n * each.confidence for each in self.bins) / self.right.n

    @property
    def error(self) -> float:
        """The expected calibration error of the top label (ECE), from 0 to 1.

        It is the mean distance of the share of right answers from the mean confidence over the bins, each with the
        weight of its answers: Guo et al., "On calibration of modern neural networks" (2017), but of bins of equal count
        and not of equal width.
        """
        return self._mean([abs(each.right.fraction - each.confidence) for each in self.bins])

    @property
    def error_by_chance(self) -> float:
        """The error that a model whose probabilities are true would show on so many examples, on average."""
        return self._mean([each.gap_by_chance for each in self.bins])

    @property
    def excess(self) -> float:
        """By how much the mean confidence is above the share of right answers; below 0 where it is lower."""
        return self.confidence - self.right.fraction

    @property
    def leaning(self) -> str:
        """``overconfident``, ``underconfident``, or empty where the confidence is in the interval of the share."""
        low, high = self.right.interval
        if low <= self.confidence <= high:
            return ""
        return "overconfident" if self.excess > 0 else "underconfident"

    def _mean(self, values: Sequence[float]) -> float:
        return sum(each.right.n * value for each, value in zip(self.bins, values, strict=True)) / self.right.n


def read_calibration(stored: Sequence[Sequence[float]]) -> Calibration | None:
    """Return the calibration that the store has; None where there is none, or of fewer than :data:`LEAST` answers."""
    bins = [Bin(ImageShare(int(n_right), int(n)), float(confidence)) for n, n_right, confidence in stored if n]
    found = Calibration(bins)
    return found if bins and found.right.n >= LEAST else None


def describe_calibration(calibration: Calibration | None, n: int, examples: str) -> str:
    """Return a sentence on how far a model's probabilities can be taken at their word.

    Args:
        n: The number of answers.
        examples: What was answered to: ``images`` or ``rows``.
    """
    if n < LEAST:
        return f"How far its probabilities can be trusted, {n} {examples} do not tell: it takes {LEAST}."
    if calibration is None:
        return "How far its probabilities can be trusted is not known: an earlier tunefront did not store it."
    sure, right = 100 * calibration.confidence, 100 * calibration.right.fraction
    means = f"it is {sure:.1f} % sure on average, and {right:.1f} % of its answers are right"
    if calibration.leaning:
        points = abs(100 * calibration.excess)
        what = f"It is {calibration.leaning} by {points:.1f} points: {means}."
    else:
        what = f"Neither over- nor underconfident, as far as {n} {examples} tell: {means}."
    return (
        f"{what} Calibration error (ECE) {100 * calibration.error:.1f} points; true probabilities would show about "
        f"{100 * calibration.error_by_chance:.1f} on so many {examples}."
    )
