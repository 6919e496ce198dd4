"""Stratified splits into training, validation and test, and into folds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.data.examples import DataError

TRAIN, VALIDATION, TEST = 0, 1, -1  # without folds; with folds, a part is the number of its fold, or TEST
ALWAYS_TRAIN = -2  # in no fold: in training whichever fold validates
LEFT_OUT = -3


@dataclass(frozen=True)
class Shares:
    """What is to be split off.

    Attributes:
        validation: Share for validation; 0 splits none off.
        test: Share for the test; 0 splits none off.
        folds: Number of folds of what is no test, in the place of validation; 0 is none.
    """

    validation: float
    test: float
    folds: int = 0

    @property
    def parts(self) -> list[int]:
        """Every part that comes of it."""
        search = list(range(self.folds)) if self.folds else [TRAIN, *([VALIDATION] if self.validation else [])]
        return search + ([TEST] if self.test else [])


def stratified(
    labels: NDArray[np.int64], validation_fraction: float, test_fraction: float, seed: int
) -> dict[str, NDArray[np.int64]]:
    """Row numbers of each split, sorted; every class in the same share everywhere.

    Raises:
        DataError: If there are fewer examples in a split than classes.
    """
    parts = divide(labels, Shares(validation_fraction, test_fraction), seed)
    return {
        name: np.flatnonzero(parts == part)
        for name, part in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST))
    }


def divide(labels: NDArray[np.int64], shares: Shares, seed: int) -> NDArray[np.int64]:
    """The part that each example is in, of shape (n,); every class in the same share everywhere.

    The test split is taken first, so it stays the same when only the validation share or the folds change.
    A class of few examples can be missing in a part.

    Raises:
        DataError: If there are fewer examples in a part than classes.
    """
    parts = np.full(len(labels), TRAIN, dtype=np.int64)
    rest = np.arange(len(labels))
    # As counts: a share of what the test split left would be rounded up by the last binary digit.
    for part, name, share in ((TEST, "test", shares.test), (VALIDATION, "validation", shares.validation)):
        if share and not (part == VALIDATION and shares.folds):
            rest, taken = _take(rest, labels, round(share * len(labels)), f"{name}_fraction = {share:g}", seed)
            parts[taken] = part
    if shares.folds:
        parts[rest] = _folds(labels[rest], shares.folds, seed)
    return parts


def _take(
    rows: NDArray[np.int64], labels: NDArray[np.int64], n_taken: int, setting: str, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    from sklearn.model_selection import train_test_split

    counts = np.bincount(labels[rows])
    is_single = counts[labels[rows]] == 1  # cannot be stratified: stays where it is
    singles, others = rows[is_single], rows[~is_single]
    n_classes = int((counts > 1).sum())
    if min(n_taken, len(others) - n_taken) < n_classes or not n_classes:
        raise DataError(
            f"data.{setting} takes {n_taken} of {len(rows)} examples, and leaves {len(rows) - n_taken}: "
            f"each needs one of each of the {len(np.unique(labels))} classes at least. "
            "Give more examples, or another share"
        )
    kept, taken = train_test_split(others, test_size=n_taken, stratify=labels[others], random_state=seed)
    return np.concatenate([kept, singles]), taken


def _folds(labels: NDArray[np.int64], n_folds: int, seed: int) -> NDArray[np.int64]:
    from sklearn.model_selection import StratifiedKFold

    if np.bincount(labels).max() < n_folds:
        raise DataError(
            f"data.folds = {n_folds} needs {n_folds} examples of each class besides the test split, and the "
            f"largest class has {np.bincount(labels).max()}: write fewer folds, or give more examples"
        )
    numbers = np.empty(len(labels), dtype=np.int64)
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class that is missing in a fold: the caller looks for it
        for fold, (_, rows) in enumerate(splitter.split(labels, labels)):
            numbers[rows] = fold
    return numbers
