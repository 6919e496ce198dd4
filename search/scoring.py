"""How good predictions are: every accuracy measure of objectives.py, from labels and probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def score(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    positive_class: int = 1,
    *,
    wants_auc: bool = False,
) -> dict[str, float]:
    """All measures that make sense for so many classes, by name, and the ``loss``.

    Macro averages are over the classes that occur in `labels`. With two classes, precision and recall
    are those of the positive class; with more they are macro averages. The loss is the plain mean
    cross-entropy, whatever smoothing or weights the training uses.

    Args:
        labels: Shape (n,), class numbers.
        probabilities: Shape (n, k), rows that sum to 1.
        wants_auc: Compute the AUC, one class against the rest, also for many classes.
    """
    n_classes = probabilities.shape[1]
    chosen = probabilities.argmax(axis=1)
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    scores = {
        "loss": float(-np.log(np.maximum(own, 1e-7)).mean()),  # clipped as Keras does; NaN stays NaN
        "accuracy": float((chosen == labels).mean()),
    }
    precision, recall, f1 = _by_class(labels, chosen, n_classes)
    present = np.unique(labels)
    scores["f1_macro"] = float(f1[present].mean())
    if n_classes == 2:
        scores["f1_binary"] = float(f1[positive_class])
        present = np.array([positive_class])
    scores["precision"] = float(precision[present].mean())
    scores["recall"] = float(recall[present].mean())
    if n_classes > 5:
        better = (probabilities > own[:, np.newaxis].astype(probabilities.dtype)).sum(axis=1)
        scores["top_5_accuracy"] = float((better < 5).mean())
    if wants_auc or n_classes <= 2:
        scores["auc"] = _auc(labels, probabilities, positive_class)
    return scores


def _by_class(
    labels: NDArray[np.integer], chosen: NDArray[np.integer], n_classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Precision, recall and F1 of each class, shape (k,); 0 where nothing was chosen or there."""
    hits = np.bincount(labels[chosen == labels], minlength=n_classes)
    n_chosen = np.bincount(chosen, minlength=n_classes)
    n_there = np.bincount(labels, minlength=n_classes)
    precision = hits / np.maximum(n_chosen, 1)
    recall = hits / np.maximum(n_there, 1)
    return precision, recall, 2 * hits / np.maximum(n_chosen + n_there, 1)


def _auc(labels: NDArray[np.integer], probabilities: NDArray[np.floating], positive_class: int) -> float:
    from sklearn.metrics import roc_auc_score

    if not np.isfinite(probabilities).all():
        return float("nan")
    classes = [positive_class] if probabilities.shape[1] == 2 else np.unique(labels)
    areas = [roc_auc_score(labels == number, probabilities[:, number]) for number in classes]
    return float(np.mean(areas))
