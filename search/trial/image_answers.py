"""The answers of a model to each image: as little data as gives the score of any sample of these images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.trial.class_curves import class_curves
from tunefront.search.trial.errors.calibration import reliability_bins
from tunefront.search.trial.scores import is_in_top_5


def image_answers(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    measure: str,
    positive_class: int,
    *,
    has_curves: bool = False,
    n_classes: int = 0,
) -> dict[str, Any]:
    """Return the fields of :class:`tunefront.storage.Answers` that `measure` needs, as JSON data.

    Args:
        labels: Shape (n,), class numbers.
        probabilities: Shape (n, k).
        measure: Name of the accuracy objective's measure.
        has_curves: Whether the curves and the calibration for reports are among them.
        n_classes: The number of classes, if the outputs are more: an answer may then be none of them. 0 for k.
    """
    answers: dict[str, Any] = {"labels": labels.tolist(), "chosen": probabilities.argmax(axis=1).tolist()}
    if measure == "top_5_accuracy":
        answers["in_top_5"] = is_in_top_5(labels, probabilities).astype(int).tolist()
    if measure == "auc":
        classes = [positive_class] if (n_classes or probabilities.shape[1]) == 2 else np.unique(labels).tolist()
        answers["ranks"] = {str(number): _ranks(probabilities[:, number]) for number in classes}
    if has_curves:
        answers["curves"] = class_curves(labels, probabilities[:, : n_classes or None], positive_class)
        answers["calibration"] = reliability_bins(labels, probabilities)
    return answers


def number_answers(labels: NDArray[np.floating], answers: NDArray[np.floating]) -> dict[str, Any]:
    """Return labels and, as what was chosen, predicted numbers; nine digits tell any two of float32 apart."""
    return {"labels": _digits(labels), "chosen": _digits(answers)}


def _digits(numbers: NDArray[np.floating]) -> list[float]:
    return [float(f"{number:.9g}") for number in numbers.tolist()]


def _ranks(values: NDArray[np.floating]) -> list[int]:
    """Return the rank of each value among the distinct ones, from 0, which is all that an AUC needs."""
    places: list[int] = np.unique(values, return_inverse=True)[1].tolist()
    return places
