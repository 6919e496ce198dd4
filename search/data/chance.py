"""The scores of guessing, without looking at an image: a model must be above them to have learnt anything.

For most measures the best guess is a constant answer: always the most frequent class, or always the positive one. The
macro averages of F1 and precision reward naming every class, so for them the best guess is to draw each class as often
as it occurs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.chance import Chance, read_chance
from tunefront.objectives.measures import MEASURES, is_defined

Counts = NDArray[np.integer]


def chances(counts: Counts, positive_class: int = 1) -> dict[str, Chance]:
    """Return the chance of every accuracy measure that is defined on these images.

    Args:
        counts: Validation images of each class in all folds together, shape (k,).
    """
    return {
        measure: find(counts, positive_class)
        for measure, find in _CHANCE_FUNCTIONS.items()
        if _fits(measure, len(counts)) and is_defined(measure, counts, positive_class)
    }


def number_chances(labels: NDArray[np.floating]) -> dict[str, Chance]:
    """Return the chances of the measures of predicted numbers: the best constant answer, known from the labels.

    The squared error of the mean has the variance of the squared distances, whose root and whose share of the labels'
    variance have errors by its derivatives. Labels that are all the same define no ``r2``.

    Args:
        labels: Validation labels of all folds together, shape (n,).
    """
    n = len(labels)
    from_mean, from_median = labels - labels.mean(), np.abs(labels - np.median(labels))
    variance = float(np.mean(from_mean**2))
    error = math.sqrt(max(float(np.mean(from_mean**4)) - variance**2, 0.0) / n)  # of the mean squared error
    found = {
        "rmse": Chance(math.sqrt(variance), error / (2 * math.sqrt(variance)) if variance else 0.0, "minimize"),
        "mae": Chance(float(from_median.mean()), float(from_median.std()) / math.sqrt(n), "minimize"),
    }
    return {**found, "r2": Chance(0.0, error / variance)} if variance else found


def guessing_level(dataset: Mapping[str, Any], measure: str) -> float:
    """Return the score that a model must pass to be better than guessing, from a dataset's facts.

    Infinitely bad if they do not tell it: minus infinity, or for errors plus infinity.
    """
    chance = read_chance(dataset, measure)
    if chance is None:
        return -math.inf if MEASURES[measure].direction == "maximize" else math.inf
    return chance.level


def _fits(measure: str, n_classes: int) -> bool:
    return {"f1_binary": n_classes == 2, "top_5_accuracy": n_classes > 5}.get(measure, True)


def _share(share: float, n: int) -> Chance:
    """Return the chance of a share of n images, with its binomial standard error."""
    return Chance(share, math.sqrt(max(share * (1 - share), 0.0) / n))


def _most_frequent(n_named: int) -> Callable[[Counts, int], Chance]:
    """Return the chance of naming the `n_named` most frequent classes for each image, in the same order."""

    def find(counts: Counts, positive_class: int) -> Chance:
        n = int(counts.sum())
        return _share(float(np.sort(counts)[-n_named:].sum()) / n, n)

    return find


def _f1_binary(counts: Counts, positive_class: int) -> Chance:
    """Return the F1 of always naming the positive class, a share p of all: 2p / (1 + p).

    Its error is the error of p, times the derivative.
    """
    positive = _positive(counts, positive_class)
    p = positive.score
    return Chance(2 * p / (1 + p), 2 / (1 + p) ** 2 * positive.standard_error)


def _positive(counts: Counts, positive_class: int) -> Chance:
    n = int(counts.sum())
    return _share(int(counts[positive_class]) / n, n)


def _mean_over_classes(counts: Counts, positive_class: int) -> Chance:
    """Return the macro average of drawing each of k classes as often as it occurs: 1 / k, for any class sizes.

    With these frequencies F1, precision and recall have the same mean and variance but for terms of 1 / n. Constant
    answers have less: (2p / (1 + p)) / k and p / k.
    """
    return _share(1 / int((counts > 0).sum()), int(counts.sum()))


def _recall(counts: Counts, positive_class: int) -> Chance:
    """Return the recall of guessing: 1 for two classes, by always naming the positive one, and 1 / k for k.

    The error for k is that of drawing the classes evenly: a mean of k binomial shares, each of one class's images. Rare
    classes make most of it.
    """
    if len(counts) == 2:
        return Chance(1.0, 0.0)
    present = counts[counts > 0]
    k = len(present)
    return Chance(1 / k, math.sqrt((1 / k) * (1 - 1 / k) * float((1 / present).sum())) / k)


def _precision(counts: Counts, positive_class: int) -> Chance:
    find = _positive if len(counts) == 2 else _mean_over_classes
    return find(counts, positive_class)


def _auc(counts: Counts, positive_class: int) -> Chance:
    """Return the AUC of guessing: 0.5, with the error of the Mann-Whitney statistic for each class against the rest.

    The AUCs of k classes are correlated. With scores that add up to 1 and equal classes the correlation is
    1 / (k - 1)^2, so that the variance of their mean is 1 / (k - 1) of that of one. Two classes share one AUC.
    """
    present = counts[counts > 0].astype(float)
    n, k = float(present.sum()), len(present)
    variances = (n + 1) / (12 * present * (n - present))
    return Chance(0.5, math.sqrt(float(variances.sum()) / (k * (k - 1))))


_CHANCE_FUNCTIONS: Mapping[str, Callable[[Counts, int], Chance]] = {
    "accuracy": _most_frequent(1),
    "top_5_accuracy": _most_frequent(5),
    "f1_macro": _mean_over_classes,
    "f1_binary": _f1_binary,
    "precision": _precision,
    "recall": _recall,
    "auc": _auc,
}
