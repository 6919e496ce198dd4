"""The agreement of an exported file with the Keras model that it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.models.variants import CLASS_AGREEMENT, Variant


@dataclass(frozen=True)
class Agreement:
    """The agreement of probabilities on the same images.

    Attributes:
        largest_difference: The largest difference of any probability.
        same_class: The share of the images that get the same class.
        refusal: Why the file is not offered: ``"61.00 % agree"``; empty if it is near enough.
    """

    largest_difference: float
    same_class: float
    refusal: str


def compare_answers(keras: NDArray[Any], file: NDArray[Any], variant: Variant) -> Agreement:
    """Compare the probabilities of the Keras model with those of the file, both of shape (n, outputs)."""
    if keras.shape != file.shape:
        return Agreement(float("nan"), 0.0, f"outputs of shape {file.shape[1:]}, not {keras.shape[1:]}")
    difference = float(np.max(np.abs(keras - file)))
    same = float(np.mean(chosen_classes(keras) == chosen_classes(file)))
    refusal = ""
    if not np.isfinite(difference):
        refusal = "it answers with what is no number"
    elif variant.tolerance is None and same < CLASS_AGREEMENT:
        refusal = f"{same:.2%} agree".replace("%", " %")
    elif variant.tolerance is not None and difference > variant.tolerance:
        refusal = f"a probability differs by {difference:.2g}"
    return Agreement(difference, same, refusal)


def chosen_classes(probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """Return the most probable class of each row; with one output, 1 where it is above a half, else 0."""
    if probabilities.shape[1] == 1:
        return np.asarray(probabilities[:, 0] > 0.5, np.int64)
    return np.asarray(probabilities.argmax(axis=1), np.int64)
