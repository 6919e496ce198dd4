"""The codes of a table's categories: those of all that occur, or only of what occurs in training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tunefront.spaces.columns.column import Column


def fitted(columns: Sequence[Column], training: NDArray[np.float32]) -> tuple[Column, ...]:
    """Return the columns with only those categories that occur in `training`, of shape (n, columns)."""
    found = list(columns)
    for place, column in _categories(columns):
        codes = np.unique(training[:, place]).astype(np.int64)
        found[place] = replace(column, vocabulary=tuple(column.vocabulary[code - 1] for code in codes if code > 0))
    return tuple(found)


def recoded(values: NDArray[np.float32], old: Sequence[Column], new: Sequence[Column]) -> NDArray[np.float32]:
    """Return values, of shape (n, columns), with the codes of other vocabularies; what these lack becomes 0."""
    found = np.array(values)
    for place, column in _categories(old):
        numbers = {text: number for number, text in enumerate(new[place].vocabulary, start=1)}
        table = np.array([0, *(numbers.get(text, 0) for text in column.vocabulary)], dtype=np.float32)
        found[:, place] = table[values[:, place].astype(np.int64)]
    return found


def count_unknown(values: NDArray[np.float32], old: Sequence[Column], new: Sequence[Column]) -> dict[str, int]:
    """Count for each column the examples of `values` whose category is not in the new vocabulary; none has no entry."""
    lost = (recoded(values, old, new) == 0) & (values != 0)
    counts = {column.name: int(lost[:, place].sum()) for place, column in _categories(old)}
    return {name: count for name, count in counts.items() if count}


def _categories(columns: Sequence[Column]) -> Iterator[tuple[int, Column]]:
    return ((place, column) for place, column in enumerate(columns) if column.kind == "category")
