"""Facts about the columns of a table: scales of numbers, counts of categories, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tunefront.spaces.columns.column import Column, Kind


@dataclass(frozen=True)
class ColumnFacts:
    """Facts about one column.

    Attributes:
        n_missing: Examples of all splits without a value.
        mean: The mean of the training's numbers; None for categories, and where training has none. The same holds for
            `deviation`, their standard deviation.
        low: The smallest number of all splits; None for categories. The same holds for `high`, the largest.
        counts: Category -> its examples in all splits, most frequent first; empty for numbers.
        n_unknown: Examples whose category no training example has.
    """

    name: str
    kind: Kind
    n_missing: int
    mean: float | None = None
    deviation: float | None = None
    low: float | None = None
    high: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    n_unknown: int = 0


def facts_of_columns(
    columns: Sequence[Column], values: NDArray[np.float32], training: NDArray[np.int64]
) -> tuple[ColumnFacts, ...]:
    """Return the facts of each column of `values`, of shape (n, columns); `training` are the rows to train on."""
    return tuple(_facts(column, values[:, place], training) for place, column in enumerate(columns))


def _facts(column: Column, values: NDArray[np.float32], training: NDArray[np.int64]) -> ColumnFacts:
    if column.kind == "category":
        counts = np.bincount(values.astype(np.int64), minlength=len(column.vocabulary) + 1)
        named = dict(zip(column.vocabulary, counts[1:].tolist(), strict=True))
        in_order = dict(sorted(named.items(), key=lambda item: -item[1]))
        return ColumnFacts(
            column.name, "category", column.n_missing, counts=in_order, n_unknown=int(counts[0]) - column.n_missing
        )
    known = values[~np.isnan(values)].astype(np.float64)
    trained = values[training].astype(np.float64)
    trained = trained[~np.isnan(trained)]
    scale = (float(trained.mean()), float(trained.std())) if len(trained) else (None, None)
    extremes = (float(known.min()), float(known.max())) if len(known) else (None, None)
    return ColumnFacts(column.name, "number", column.n_missing, *scale, *extremes)
