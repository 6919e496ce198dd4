"""The training images that quantization is calibrated on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

N_IMAGES = 200


def calibration_rows(labels: NDArray[Any], seed: int, n_images: int = N_IMAGES) -> NDArray[np.int64]:
    """Choose rows of `labels`, shape (n,), fixed by the seed, with each class as often as in all of them.

    Each class has its share rounded down, but at least one row; what is left over goes to the classes whose share lost
    most by rounding. Labels that are numbers make one class. With more classes than `n_images` only the most frequent
    ones have a row.

    Returns:
        Row numbers in ascending order: `n_images` of them, or all rows if there are fewer.
    """
    if len(labels) <= n_images:
        return np.arange(len(labels))
    if not np.issubdtype(labels.dtype, np.integer):
        labels = np.zeros(len(labels), np.int64)  # numbers are no classes
    rng = np.random.default_rng(seed)
    classes, counts = np.unique(labels, return_counts=True)
    shares = counts * n_images / len(labels)
    chosen = np.maximum(np.floor(shares).astype(int), 1)
    while chosen.sum() > n_images:  # rare classes were rounded up: the best represented one gives a row
        chosen[np.argmax(chosen - shares)] -= 1
    while chosen.sum() < n_images:
        chosen[np.argmax(shares - chosen)] += 1
    rows = [rng.choice(np.flatnonzero(labels == one), n, replace=False) for one, n in zip(classes, chosen, strict=True)]
    return np.sort(np.concatenate(rows)).astype(np.int64)
