"""Splits by time: training lies before validation, and validation before the test; folds are windows that expand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError, Examples
from tunefront.search.data.sources.source import Source
from tunefront.search.data.splitting.rare_classes import named, refuse_untrained
from tunefront.search.data.splitting.splits import (
    LEFT_OUT,
    TEST,
    TRAIN,
    TRAIN_IN_EVERY_FOLD,
    VALIDATION,
    Shares,
)


def divide_by_time(
    parts: NDArray[np.int64], examples: Examples, source: Source, shares: Shares
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Cut the splits that are not given off the end of the examples, which are in the order of time.

    Before each border `source.gap` examples are left out. With folds it is what scikit-learn's ``TimeSeriesSplit``
    does: the last blocks of equal size validate, one a fold, and each fold trains on what lies before its block, but
    for the gap. The first block is in training in every fold.

    Returns:
        The part of each example, and counts of what was noticed.

    Raises:
        DataError: If nothing is left to train on, a split gets no example, or classes have none to train on.
    """
    divided = parts.copy()
    pool = np.flatnonzero(parts == TRAIN)
    n_validation, n_test = (round(share * len(pool)) for share in (shares.validation, shares.test))
    if shares.test:
        pool = _cut(divided, pool, n_test, TEST, source.gap)
    if shares.folds:
        _cut_folds(divided, pool, shares.folds, source.gap)
    elif shares.validation:
        _cut(divided, pool, n_validation, VALIDATION, source.gap)
    notes = {
        "examples at the borders were left out, as gap says": int(((divided != parts) & (divided == LEFT_OUT)).sum())
    }
    if shares.folds and source.gap:
        notes["examples before the block that validates are not trained on in each fold, as gap says"] = source.gap
    return divided, notes | _note_classes(divided, examples, source)


def _cut(parts: NDArray[np.int64], pool: NDArray[np.int64], n_taken: int, part: int, gap: int) -> NDArray[np.int64]:
    """Give the last examples of the pool to a part, leave out the gap before them, and return those that are left."""
    n_left = len(pool) - n_taken - gap
    if not n_taken or n_left < 1:
        name = "test" if part == TEST else "validation"
        raise DataError(
            f"data: {len(pool)} examples are too few for a split by time: {n_taken} for {name} and gap = {gap} leave "
            f"{max(n_left, 0)} to train on: give more, or write another {name}_fraction or a smaller gap"
        )
    parts[pool[n_left : n_left + gap]] = LEFT_OUT
    parts[pool[n_left + gap :]] = part
    return pool[:n_left]


def _cut_folds(parts: NDArray[np.int64], pool: NDArray[np.int64], n_folds: int, gap: int) -> None:
    n_block = len(pool) // (n_folds + 1)
    n_first = len(pool) - n_folds * n_block
    if not n_block or n_first - gap < 1:
        raise DataError(
            f"data.folds = {n_folds}: {len(pool)} examples make {n_folds + 1} blocks of {n_block}, and gap = {gap} "
            f"leaves {max(n_first - gap, 0)} to train on before the first that validates: give more, or write fewer "
            "folds or a smaller gap"
        )
    parts[pool[:n_first]] = TRAIN_IN_EVERY_FOLD
    parts[pool[n_first:]] = np.repeat(np.arange(n_folds), n_block)


def _note_classes(parts: NDArray[np.int64], examples: Examples, source: Source) -> dict[str, int]:
    """Note the classes that a split lacks, and refuse or leave out those that are not trained first."""
    labels = examples.labels
    training, validation = (TRAIN_IN_EVERY_FOLD, 0) if source.folds else (TRAIN, VALIDATION)
    first = np.where(parts == training, TRAIN, parts)
    first[(parts == TRAIN) & (parts != training)] = VALIDATION  # fold 0 has the number of TRAIN
    untrained = refuse_untrained(first, examples, source)
    parts[np.isin(labels, untrained)] = LEFT_OUT
    notes = {f"classes have no example to train on, and were left out{named(untrained, examples)}": len(untrained)}
    for name, part in (("validation", validation), ("test", TEST)):
        if part in parts:
            lacking = np.setdiff1d(labels[parts != LEFT_OUT], labels[parts == part])
            notes[
                f"classes have no example in the {name} split, which time has cut{named(lacking.tolist(), examples)}"
            ] = len(lacking)
    return notes


def note_copies(groups: NDArray[np.int64], parts: NDArray[np.int64]) -> dict[str, int]:
    """Count the examples whose content another part has too; they stay where their time puts them."""
    pairs = np.unique(np.stack([groups, parts], axis=1)[parts != LEFT_OUT], axis=0)
    shared = np.flatnonzero(np.bincount(pairs[:, 0]) > 1) if len(pairs) else pairs[:, 0]
    is_shared = np.isin(groups, shared) & (parts != LEFT_OUT)
    return {
        "examples are exact copies of others on another side of a border, and stay at their time": int(is_shared.sum())
    }
