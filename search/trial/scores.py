"""Scores of predictions: every measure of the first axis of `objectives/measures.py`, from labels and answers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.measures import is_defined
from tunefront.search.data.label_scale import LabelScale
from tunefront.search.trial.class_curves import roc_area


def score(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    positive_class: int = 1,
    *,
    wants_auc: bool = False,
    n_classes: int = 0,
) -> dict[str, float]:
    """Return every measure that suits the number of classes and is defined on these labels, by name, and the ``loss``.

    Macro averages are over the classes that occur in `labels`. With two classes, precision and recall
    are those of the positive class; with more they are macro averages. The loss is the plain mean
    cross-entropy, whatever smoothing or weights the training uses.

    Args:
        labels: Shape (n,), class numbers.
        probabilities: Shape (n, k), rows that sum to 1.
        wants_auc: Compute the AUC, one class against the rest, also for many classes.
        n_classes: The number of classes, if the outputs are more: the others are always wrong answers. 0 for k.
    """
    n_classes = n_classes or probabilities.shape[1]
    counts = np.bincount(labels, minlength=n_classes)
    chosen = probabilities.argmax(axis=1)
    own = probabilities[np.arange(len(labels)), labels]
    scores = {
        "loss": float(
            -np.log(np.maximum(own.astype(np.float64), 1e-7)).mean()
        ),  # clipped like Keras's loss; NaN stays NaN
        "accuracy": float((chosen == labels).mean()),
    }
    precision, recall, f1 = _by_class(labels, chosen, counts)
    present = np.flatnonzero(counts)
    scores["f1_macro"] = float(f1[present].mean())
    if n_classes == 2:
        scores["f1_binary"] = float(f1[positive_class])
        present = np.array([positive_class])
    scores["precision"] = float(precision[present].mean())
    scores["recall"] = float(recall[present].mean())
    if n_classes > 5:
        scores["top_5_accuracy"] = float(is_in_top_5(labels, probabilities).mean())
    scores = {name: value for name, value in scores.items() if is_defined(name, counts, positive_class)}
    if (wants_auc or n_classes <= 2) and is_defined("auc", counts, positive_class):
        scores["auc"] = _auc(labels, probabilities, [positive_class] if n_classes == 2 else np.unique(labels))
    return scores


def score_numbers(
    labels: NDArray[np.floating], answers: NDArray[np.floating], loss: str, scale: LabelScale
) -> dict[str, float]:
    """Return the measures of predicted numbers by name, in the unit of the labels, and the ``loss`` in standard units.

    ``r2`` is left out where all labels are the same, which define none.

    Args:
        labels: Shape (n,).
        answers: Shape (n,), in the unit of the labels.
        loss: ``mse``, ``mae`` or ``huber``.
        scale: The scale of the training's labels.
    """
    numbers, predicted = np.asarray(labels, dtype=np.float64), np.asarray(answers, dtype=np.float64)
    errors = np.abs(predicted - numbers)
    mean_square = float(np.mean(errors**2))
    scores = {
        "loss": _number_loss(errors / scale.deviation, loss),
        "rmse": math.sqrt(mean_square),
        "mae": float(errors.mean()),
    }
    if numbers.min() < numbers.max():
        scores["r2"] = 1 - mean_square / float(numbers.var())
    return scores


def _number_loss(errors: NDArray[np.float64], loss: str) -> float:
    """Return the mean loss of absolute errors in standard units, as Keras has it; huber's delta is 1."""
    if loss == "mae":
        return float(errors.mean())
    if loss == "mse":
        return float(np.mean(errors**2))
    return float(np.mean(np.where(errors <= 1, errors**2 / 2, errors - 0.5)))


def is_in_top_5(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return for each image whether its class is among the five ranked first, shape (n,).

    It is written by hand, in one pass and without sorting, because it takes 0.07 ms where scikit-learn's
    ``top_k_accuracy_score`` takes 5.8 ms. Of equally probable classes the one with the higher number comes first, as
    there. A saturated network gives most classes exactly 0: if such ties were hits, a network that always says the
    same class would have all images right.
    """
    own = probabilities[np.arange(len(labels)), labels][:, np.newaxis]
    is_later = np.arange(probabilities.shape[1]) > labels[:, np.newaxis]
    n_before = ((probabilities > own) | ((probabilities == own) & is_later)).sum(axis=1)
    is_among: NDArray[np.bool_] = n_before < 5
    return is_among


def _by_class(
    labels: NDArray[np.integer], chosen: NDArray[np.integer], counts: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return precision, recall and F1 of each class, shape (k,); 0 if it was never predicted or never occurs."""
    hits = np.bincount(labels[chosen == labels], minlength=len(counts))
    n_chosen = np.bincount(chosen, minlength=len(counts))[: len(counts)]
    precision = hits / np.maximum(n_chosen, 1)
    recall = hits / np.maximum(counts, 1)
    return precision, recall, 2 * hits / np.maximum(n_chosen + counts, 1)


def _auc(
    labels: NDArray[np.integer], probabilities: NDArray[np.floating], classes: Sequence[int] | NDArray[np.integer]
) -> float:
    if not np.isfinite(probabilities).all():
        return float("nan")
    areas = [roc_area(labels == number, probabilities[:, number]) for number in classes]
    return float(np.mean(areas))
