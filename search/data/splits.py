"""Stratified splits into training, validation and test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def stratified(
    labels: NDArray[np.int64], validation_fraction: float, test_fraction: float, seed: int
) -> dict[str, NDArray[np.int64]]:
    """Row numbers of each split, sorted; every class in the same share everywhere.

    The test split is taken first, so it stays the same when only the validation share changes.

    Raises:
        ValueError: If a class has too few images to be in every split.
    """
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(labels))
    # As counts: a share of what the test split left would be rounded up by the last binary digit.
    n_test, n_validation = (round(fraction * len(labels)) for fraction in (test_fraction, validation_fraction))
    rest, test = train_test_split(rows, test_size=n_test, stratify=labels, random_state=seed)
    train, validation = train_test_split(rest, test_size=n_validation, stratify=labels[rest], random_state=seed)
    return {"train": np.sort(train), "validation": np.sort(validation), "test": np.sort(test)}
