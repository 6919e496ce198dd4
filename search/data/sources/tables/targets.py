"""The target of a table of columns: the column to predict, as classes or numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError, readable, some_of
from tunefront.search.data.sources.class_order import in_order
from tunefront.search.data.sources.tables.cells import Cells, number_of
from tunefront.search.data.sources.tables.classes import USUAL_LABEL_COLUMNS
from tunefront.search.data.sources.tables.csv_rows import CsvRows

_MAX_WHOLE_NUMBERS = 100  # a target of more different whole numbers is a quantity


def target_column(table: CsvRows, taken: Collection[str]) -> str:
    """Return the column that is called as a target usually is, if there is one such column; else the last one.

    Args:
        taken: The columns that the spec uses for something else.
    """
    others = [name for name in table.columns if name not in taken]
    usual = [name for name in others if name.lower() in USUAL_LABEL_COLUMNS]
    return usual[0] if len(usual) == 1 else others[-1] if others else table.columns[-1]


def class_targets(cells: Cells, lines: Sequence[int], path: Path) -> tuple[NDArray[np.int64], list[str]]:
    """Return the number of each row's class, and the names of the classes.

    Raises:
        DataError: If rows have no class, all have one, or the target is a quantity.
    """
    _check(cells, lines, path, "class")
    names = in_order(cells.texts)
    if is_quantity(cells):
        raise DataError(
            f"data.target: the column {cells.name!r} of {readable(str(path))} has {len(names):,} different "
            f'numbers, such as {names[len(names) // 2]}, which are no classes. Write task = "regression" to '
            "predict them, or name another column"
        )
    places = {name: place for place, name in enumerate(names)}
    return np.array([places[text] for text in cells.texts], dtype=np.int64), names


def is_quantity(cells: Cells) -> bool:
    """Return whether cells are numbers that are no classes: fractions, or very many different whole numbers."""
    if cells.others or not cells.known:
        return False
    numbers = {float(text) for text in cells.known}
    return len(numbers) > _MAX_WHOLE_NUMBERS or not all(number.is_integer() for number in numbers)


def number_targets(cells: Cells, lines: Sequence[int], path: Path) -> NDArray[np.float32]:
    """Return the number of each row, shape (n,).

    Raises:
        DataError: If rows have no number, or all have the same.
    """
    _check(cells, lines, path, "number")
    if cells.others:
        wrong = [f"line {lines[place]}: {cells.texts[place]!r}" for place in cells.others]
        raise DataError(
            f"data.target: the column {cells.name!r} of {readable(str(path))} has cells that are no numbers, and "
            f'task = "regression" predicts numbers: correct them, or name another column:\n{some_of(wrong, 5)}'
        )
    return np.array([number_of(text) for text in cells.texts], dtype=np.float32)


def _check(cells: Cells, lines: Sequence[int], path: Path, what: str) -> None:
    empty = [f"line {lines[place]}" for place in np.flatnonzero(cells.is_missing).tolist()]
    if empty:
        raise DataError(
            f"data.target: {len(empty):,} rows of {readable(str(path))} have no {what} in the column {cells.name!r}: "
            f"give them one, or remove them:\n{some_of(empty, 5)}"
        )
    if len(set(cells.known)) == 1:
        raise DataError(
            f"data.target: all rows of {readable(str(path))} have {cells.known[0]!r} in the column {cells.name!r}, and "
            "there is nothing to predict: name another column"
        )
