"""Stratified splits into training, validation and test, and into folds; numbers are stratified by their rank."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError

TRAIN, VALIDATION, TEST = 0, 1, -1  # without folds; with folds, a part is the number of its fold, or TEST
TRAIN_IN_EVERY_FOLD = -2  # the example is in no fold, and in training whichever fold validates
LEFT_OUT = -3

Rows = NDArray[np.int64]
_MAX_STRATA, _LEAST_STRATUM = 10, 5  # of numbers: deciles, as long as each part gets so many examples of every one


@dataclass(frozen=True)
class Shares:
    """The shares that are to be split off.

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
        """Every part that these shares make."""
        search = list(range(self.folds)) if self.folds else [TRAIN, *([VALIDATION] if self.validation else [])]
        return search + ([TEST] if self.test else [])


def names_of_parts(n_folds: int) -> dict[int, str]:
    """Return the names of the parts, from training on, without those that are left out."""
    search = {TRAIN_IN_EVERY_FOLD: "train", **{fold: f"fold {fold}" for fold in range(n_folds)}}
    return {**(search if n_folds else {TRAIN: "train", VALIDATION: "validation"}), TEST: "test"}


def divide(labels: NDArray[np.int64], shares: Shares, seed: int) -> NDArray[np.int64]:
    """Return the part of each example, shape (n,); every class has the same share in each part, as far as possible.

    The test split is taken first, so it stays the same when only the validation share or the folds change. A class
    that has enough examples is in every part, however few these are: see :func:`seats`. One of two examples is in
    training and in validation, one of a single example in training alone.

    Raises:
        DataError: If no class has an example for every fold.
    """
    parts = np.full(len(labels), TRAIN, dtype=np.int64)
    rest = np.arange(len(labels))
    n_needed = shares.folds or (2 if shares.validation else 1)  # examples of each class that the test split must leave
    if shares.test:
        rest, taken = _take(rest, labels, round(shares.test * len(labels)), n_needed, seed)
        parts[taken] = TEST
    if shares.folds:
        parts[rest] = _folds(labels[rest], shares.folds, seed)
    elif shares.validation:
        # A share of the rows that are left would be rounded up because of its last binary digit: give a count instead.
        _, taken = _take(rest, labels, round(shares.validation * len(labels)), 1, seed)
        parts[taken] = VALIDATION
    return parts


def strata(numbers: NDArray[np.floating], shares: Shares) -> NDArray[np.int64]:
    """Return the stratum of each number, shape (n,), by its rank: at most ten of equal size, as classes have none.

    So every part has small, middle and large numbers alike. Few examples have fewer strata, and very few have one.
    """
    n = len(numbers)
    n_strata = int(np.clip(n // (_LEAST_STRATUM * max(len(shares.parts), 1)), 1, _MAX_STRATA))
    ranks = np.empty(n, dtype=np.int64)
    ranks[np.argsort(numbers, kind="stable")] = np.arange(n)
    found: NDArray[np.int64] = ranks * n_strata // max(n, 1)
    return found


def seats(counts: NDArray[np.int64], n_wanted: int, n_needed: int) -> NDArray[np.int64]:
    """Return how many examples of each class a split gets, shape (k,): one of each, then the rest by class shares.

    The sum is `n_wanted`, unless so many classes want their one that it must be more; it is less where the classes
    have no more to give. Classes of more than their one example in this split's share give up a little of it for the
    smaller ones, so that the share holds over all.

    Args:
        counts: Examples of each class.
        n_needed: How many of each class must stay. One that has no more keeps all but one if that leaves two.
    """
    can_give = np.maximum(counts - n_needed, np.where(counts > 2, 1, 0))
    can_give[counts <= 1] = 0
    taken = np.minimum(can_give, 1)
    while (n_left := n_wanted - int(taken.sum())) > 0 and (taken < can_give).any():
        due = np.where(taken < can_give, np.maximum(n_wanted * counts / counts.sum() - taken, 1e-9), 0.0)
        portions = np.minimum(n_left * due / due.sum(), can_give - taken)
        given = np.floor(portions).astype(np.int64)
        n_over = min(n_left - int(given.sum()), int((taken + given < can_give).sum()))
        by_remainder = np.lexsort(
            (-counts, given - portions)
        )  # by remainder, the largest first; equal remainders by the size of the class
        open_ones = by_remainder[(taken + given)[by_remainder] < can_give[by_remainder]]
        given[open_ones[:n_over]] += 1
        taken = taken + given
    return taken


def _take(rows: Rows, labels: NDArray[np.int64], n_taken: int, n_needed: int, seed: int) -> tuple[Rows, Rows]:
    """Take a stratified part of `rows`; return the rows that are left, and those that are taken."""
    proportional = _take_proportionally(rows, labels, n_taken, seed)
    counts = np.bincount(labels[rows])
    wanted = seats(counts, n_taken, n_needed)
    if proportional is not None:
        n_of_each = np.bincount(labels[proportional[1]], minlength=len(counts))
        has_all = (n_of_each >= np.minimum(wanted, 1)).all()
        leaves_enough = (counts - n_of_each >= np.minimum(n_needed, counts - wanted)).all()
        if has_all and leaves_enough:
            return proportional
    draws = np.random.default_rng(seed)
    chosen = [draws.permutation(rows[labels[rows] == label])[:n] for label, n in enumerate(wanted) if n]
    taken = np.sort(np.concatenate(chosen)) if chosen else rows[:0]
    return np.setdiff1d(rows, taken), taken


def _take_proportionally(rows: Rows, labels: NDArray[np.int64], n_taken: int, seed: int) -> tuple[Rows, Rows] | None:
    """Take rows as scikit-learn does, which may leave a class of few examples without any; None if it cannot."""
    from sklearn.model_selection import train_test_split

    counts = np.bincount(labels[rows])
    is_single = counts[labels[rows]] == 1  # a single example cannot be stratified, and stays
    singles, others = rows[is_single], rows[~is_single]
    n_classes = int((counts > 1).sum())
    if min(n_taken, len(others) - n_taken) < n_classes or not n_classes:
        return None
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
        warnings.simplefilter("ignore")  # scikit-learn warns of a class with fewer examples than folds
        for fold, (_, rows) in enumerate(splitter.split(labels, labels)):
            numbers[rows] = fold
    return numbers
