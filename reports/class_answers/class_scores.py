"""The scores of each class against the rest, from a confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunefront.reports.confirmation.statistics import share_interval


@dataclass(frozen=True)
class ImageShare:
    """A share of images: `n_hits` of `n`."""

    n_hits: int
    n: int

    @property
    def fraction(self) -> float:
        """The share from 0 to 1; NaN if there are no such images."""
        return self.n_hits / self.n if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval; NaN if there are no such images."""
        return share_interval(self.fraction, self.n)


@dataclass(frozen=True)
class ClassScores:
    """The scores of one class against the rest, each as the share of images that it is.

    Attributes:
        recall: Images of the class that were taken for it; also called sensitivity.
        specificity: Images of other classes that were not taken for it.
        precision: Images taken for the class that are of it; also called positive predictive value.
        npv: Images not taken for the class that are not of it: the negative predictive value.
    """

    recall: ImageShare
    specificity: ImageShare
    precision: ImageShare
    npv: ImageShare

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 for a class never named, NaN if it does not occur either."""
        total = self.recall.n + self.precision.n
        return 2 * self.recall.n_hits / total if total else math.nan


def class_scores(matrix: NDArray[np.int64]) -> list[ClassScores]:
    """Return the scores of each class of a confusion matrix, whose rows are the right classes."""
    n_images = int(matrix.sum())
    found = []
    for number in range(len(matrix)):
        hits, n_class, n_chosen = (
            int(n) for n in (matrix[number, number], matrix[number].sum(), matrix[:, number].sum())
        )
        n_neither = n_images - n_class - n_chosen + hits
        found.append(
            ClassScores(
                recall=ImageShare(hits, n_class),
                specificity=ImageShare(n_neither, n_images - n_class),
                precision=ImageShare(hits, n_chosen),
                npv=ImageShare(n_neither, n_images - n_chosen),
            )
        )
    return found


def f1_macro(scores: Sequence[ClassScores]) -> float:
    """Return the mean F1 of the classes that occur, as the measure of that name."""
    return float(np.mean([each.f1 for each in scores if each.recall.n]))
