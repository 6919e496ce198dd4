"""The scores of trainings on resampled images: a bootstrap of what another set of images would have given.

All trainings are scored on the same drawn images, so that images that are hard for all of them add no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.measures import MEASURES
from tunefront.storage.answers import Answers

N_RESAMPLES = 2000
_RESAMPLES_PER_BATCH = 250  # for 10 000 images, the weights of a batch take 10 MB

Floats = NDArray[np.float64]
Weights = NDArray[np.float32]  # how often each image was drawn, shape (b, n); whole numbers, so that sums are exact


def drawn_scores(
    answers: Mapping[int, Answers], measure: str, n_classes: int, positive_class: int = 1, seed: int = 0
) -> dict[int, Floats]:
    """Score trainings on :data:`N_RESAMPLES` draws of as many images with replacement, the same for all trainings.

    Args:
        answers: Training -> its answers. Trainings are left out if their images are not those of the first training,
            or if their answers lack what `measure` needs.
        measure: Name of a measure of the first axis.

    Returns:
        Training -> scores of shape (:data:`N_RESAMPLES`,). The score is NaN where a draw has no image of a class that
        the measure needs, or of R2 where all labels of the draw are equal.
    """
    first = next(iter(answers.values()), None)
    usable = {
        number: found
        for number, found in answers.items()
        if first is not None and found.labels == first.labels and _has_what(measure, found)
    }
    if first is None or not usable or not first.labels:
        return {}
    random = np.random.default_rng([seed, 1])  # independent of the numbers that resample the seeds
    n_images = len(first.labels)
    columns = [
        scores_on(_draw(random, n_images), list(usable.values()), measure, n_classes, positive_class)
        for _ in range(N_RESAMPLES // _RESAMPLES_PER_BATCH)
    ]
    return dict(zip(usable, np.concatenate(columns).T, strict=True))


def scores_on(
    weights: Weights, answers: Sequence[Answers], measure: str, n_classes: int, positive_class: int
) -> Floats:
    """Return the score of each of t trainings on b draws of images, shape (b, t).

    The scores are those of `score` in :mod:`tunefront.search.trial.scores`.
    """
    labels = np.asarray(answers[0].labels)
    if MEASURES[measure].task == "regression":
        predicted = np.column_stack([np.asarray(found.chosen, dtype=float) for found in answers])
        return _number_scores(weights.astype(float), labels.astype(float), predicted, measure)
    if measure in ("accuracy", "top_5_accuracy"):
        is_right = [
            np.asarray(found.in_top_5) if measure == "top_5_accuracy" else np.asarray(found.chosen) == labels
            for found in answers
        ]
        n_right: Floats = (weights @ np.column_stack(is_right).astype(np.float32)).astype(float)
        shares: Floats = n_right / weights.sum(axis=1, keepdims=True)
        return shares
    if measure == "auc":
        return np.column_stack([_auc(weights, labels, found.ranks) for found in answers])
    class_of = positive_class if n_classes == 2 and measure != "f1_macro" else None
    n_there = _count(weights, labels, n_classes)
    columns = [
        _class_based_scores(weights, labels, np.asarray(found.chosen), n_there, measure, class_of) for found in answers
    ]
    return np.column_stack(columns)


def _number_scores(weights: Floats, labels: Floats, predicted: Floats, measure: str) -> Floats:
    """Return the scores of predicted numbers, shape (n, t), on each draw, shape (b, t)."""
    n_drawn = weights.sum(axis=1, keepdims=True)
    errors = predicted - labels[:, np.newaxis]
    if measure == "mae":
        mean_error: Floats = weights @ np.abs(errors) / n_drawn
        return mean_error
    squared: Floats = weights @ errors**2 / n_drawn
    if measure == "rmse":
        return np.sqrt(squared)
    centred = labels - labels.mean()  # the variance of large labels would lose its digits
    variance = weights @ centred**2 / n_drawn[:, 0] - (weights @ centred / n_drawn[:, 0]) ** 2
    known = np.where(variance > 1e-12 * centred.var(), variance, np.nan)
    return 1 - squared / known[:, np.newaxis]


def _has_what(measure: str, answers: Answers) -> bool:
    return bool({"top_5_accuracy": answers.in_top_5, "auc": answers.ranks}.get(measure, answers.chosen))


def _draw(random: np.random.Generator, n_images: int) -> Weights:
    drawn = (
        np.bincount(random.integers(n_images, size=n_images), minlength=n_images) for _ in range(_RESAMPLES_PER_BATCH)
    )
    return np.stack(list(drawn)).astype(np.float32)


# measure -> the score of a class by its hits, how often it was chosen and how often it occurs; 0 in place of 0 / 0
_CLASS_SCORES: Mapping[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "precision": lambda hits, n_chosen, n_there: hits / np.maximum(n_chosen, 1),
    "recall": lambda hits, n_chosen, n_there: hits / np.maximum(n_there, 1),
    "f1_macro": lambda hits, n_chosen, n_there: 2 * hits / np.maximum(n_chosen + n_there, 1),
    "f1_binary": lambda hits, n_chosen, n_there: 2 * hits / np.maximum(n_chosen + n_there, 1),
}


def _class_based_scores(
    weights: Weights,
    labels: NDArray[np.integer],
    chosen: NDArray[np.integer],
    n_there: Floats,
    measure: str,
    class_of: int | None,
) -> Floats:
    """Return one training's score on each draw, shape (b,): of one class, or the mean over the classes drawn."""
    wrong = np.flatnonzero(chosen != labels)  # wrong answers are few, so counting these alone is fast
    n_classes = n_there.shape[1]
    hits = n_there - _count(weights[:, wrong], labels[wrong], n_classes)
    named = wrong[chosen[wrong] < n_classes]  # a network may have outputs that name no class
    n_chosen = hits + _count(weights[:, named], chosen[named], n_classes)
    scores = _CLASS_SCORES[measure](hits, n_chosen, n_there)
    if class_of is not None:
        return np.where(n_there[:, class_of] > 0, scores[:, class_of], np.nan)
    is_there = n_there > 0
    mean: Floats = np.where(is_there, scores, 0.0).sum(axis=1) / is_there.sum(axis=1)
    return mean


def _count(weights: Weights, classes: NDArray[np.integer], n_classes: int) -> Floats:
    """Count the drawn images of each class, shape (b, k)."""
    from scipy.sparse import csr_array

    ones = np.ones(len(classes), dtype=np.float32)
    members = csr_array((ones, (classes, np.arange(len(classes)))), shape=(n_classes, len(classes)))
    return np.asarray(members @ weights.T, dtype=float).T


def _auc(weights: Weights, labels: NDArray[np.integer], ranks: Mapping[str, Sequence[int]]) -> Floats:
    """Return one training's AUC on each draw, shape (b,).

    It is the mean over the classes that the AUC is computed for, of those with images in and outside them in the draw.
    """
    by_image = np.ascontiguousarray(weights.T)
    areas = np.stack([_area(by_image, labels == int(number), np.asarray(places)) for number, places in ranks.items()])
    is_known = ~np.isnan(areas)
    n_known = is_known.sum(axis=0)
    total = np.where(is_known, areas, 0.0).sum(axis=0)
    mean: Floats = np.where(n_known > 0, total / np.maximum(n_known, 1), np.nan)
    return mean


def _area(weights: Weights, is_positive: NDArray[np.bool_], places: NDArray[np.integer]) -> Floats:
    """Return the share of pairs of a positive and a negative image that rank the positive higher; ties count half.

    Args:
        weights: Shape (n, b).
    """
    positive, negative = np.flatnonzero(is_positive), np.flatnonzero(~is_positive)
    negative = negative[np.argsort(places[negative], kind="stable")]
    cumulated = np.zeros((len(negative) + 1, weights.shape[1]))
    np.cumsum(weights[negative], axis=0, out=cumulated[1:])
    first, last = (np.searchsorted(places[negative], places[positive], side) for side in ("left", "right"))
    of_positive = weights[positive].astype(float)
    n_ordered = (of_positive * (cumulated[first] + cumulated[last])).sum(axis=0) / 2
    n_pairs = of_positive.sum(axis=0) * cumulated[-1]
    area: Floats = np.where(n_pairs > 0, n_ordered / np.maximum(n_pairs, 1), np.nan)
    return area
