"""The classes of a table's rows: from a column of labels, or from a column for each class."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError, readable, some_of
from tunefront.search.data.sources.class_order import in_order
from tunefront.search.data.sources.tables.csv_rows import CsvRows

_TRUE, _FALSE = ("1", "1.0", "true"), ("0", "0.0", "false", "")
USUAL_LABEL_COLUMNS = frozenset(
    ("label", "labels", "class", "classes", "class_name", "classname", "target", "category", "species", "y")
)


def class_of_rows(table: CsvRows, column: str, path: Path) -> tuple[list[str], NDArray[np.int64]]:
    """Return class names, and the number of each row's class, of shape (n,).

    Raises:
        DataError: If a row has no class.
    """
    labels = table.column(column)
    empty = [f"line {line}" for label, line in zip(labels, table.lines, strict=True) if not label]
    if empty:
        raise DataError(
            f"{readable(str(path))}: rows without a class: give them one, or remove them:\n{some_of(empty)}"
        )
    names = in_order(labels)
    numbers = {name: number for number, name in enumerate(names)}
    return names, np.array([numbers[label] for label in labels], dtype=np.int64)


def class_of_one_hot_rows(table: CsvRows, columns: Sequence[str], path: Path) -> NDArray[np.int64]:
    """Return for each row the place of the one column that holds a 1, shape (n,).

    Raises:
        DataError: If a row has no 1 or several, or another value.
    """
    cells = [table.column(name) for name in columns]
    rows = [[cell.lower() for cell in row] for row in zip(*cells, strict=True)]
    odd = [
        f"line {line}: {', '.join(cell or 'nothing' for cell in row)}"
        for row, line in zip(rows, table.lines, strict=True)
        if sum(cell in _TRUE for cell in row) != 1 or any(cell not in (*_TRUE, *_FALSE) for cell in row)
    ]
    if odd:
        raise DataError(
            f"{readable(str(path))}: rows that have not one 1 and else 0 in {', '.join(columns)}. An image has one "
            f"class here: correct or remove these rows, or name more columns:\n{some_of(odd)}"
        )
    return np.array([[cell in _TRUE for cell in row].index(True) for row in rows], dtype=np.int64)


def only_label_column(table: CsvRows, taken: Collection[str], path: Path) -> str:
    """Return the one column that is not taken.

    Args:
        taken: The columns of files, splits and groups.

    Raises:
        DataError: If there is none, or several: lists the columns, and names one with a usual name of labels.
    """
    others = [name for name in table.columns if name not in taken]
    if len(others) == 1 and others[0]:
        return others[0]
    shown = ", ".join(name or "(one without a name)" for name in table.columns)
    told = "" if table.has_header else " (numbers, since its first line is a row already)"
    usual = [name for name in others if name.lower() in USUAL_LABEL_COLUMNS]
    remedy = f'label_column = "{usual[0]}"' if len(usual) == 1 else "label_column = with its name"
    raise DataError(
        f"data.label_column: {readable(str(path))} has the columns {shown}{told}: which of them is the class? Write "
        f"{remedy}, or, for a table with a column for each class and a 1 in one of them, label_column = [...] with "
        "their names"
    )
