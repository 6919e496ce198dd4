"""The numbers and the times in a table's columns."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunefront.printable import shown
from tunefront.search.data.examples import DataError, readable, some_of
from tunefront.search.data.sources.numbers import as_numbers
from tunefront.search.data.sources.tables.csv_rows import CsvRows


def number_of_rows(table: CsvRows, column: str, path: Path) -> NDArray[np.float32]:
    """Return each row's number to predict, shape (n,).

    Raises:
        DataError: Names the lines whose cell is no finite number.
    """
    where = f"{readable(str(path))}: the column {column!r}"
    return as_numbers(table.column(column), [f"line {line}" for line in table.lines], where)


def check_times(table: CsvRows, column: str, path: Path) -> None:
    """Check that a column's times increase from row to row.

    Times are numbers, or dates as ISO 8601 has them. Equal ones are refused, because a border of a split could lie
    between them, and training would know the time that validation is about.

    Raises:
        DataError: Names the lines.
    """
    cells = table.column(column)
    where = f"data.time_column: {readable(str(path))}"
    times = _times(cells)
    if times is None:
        odd = [
            f"line {line}: {shown(cell)}"
            for cell, line in zip(cells, table.lines, strict=True)
            if _as_number(cell) is None and _as_date(cell) is None
        ]
        raise DataError(
            f"{where} has what is no time in the column {column!r}: write dates as 2024-01-31 or 2024-01-31 16:00, all "
            f"with or all without a time zone, or numbers:\n{some_of(odd or ['times of different kinds'])}"
        )
    steps = zip(pairwise(times), pairwise(cells), table.lines[1:], strict=True)
    odd = [f"line {line}: {texts[1]} after {texts[0]}" for (one, other), texts, line in steps if other <= one]
    if odd:
        raise DataError(
            f"{where}: the column {column!r} does not increase from row to row: sort the rows by it, and leave one of "
            f"equal times:\n{some_of(odd)}"
        )


def _times(cells: list[str]) -> list[float] | None:
    """Return the cells as numbers that can be compared; None if they are not all numbers, or all dates of one kind."""
    numbers = [_as_number(cell) for cell in cells]
    if None not in numbers:
        return [number for number in numbers if number is not None]
    dates = [date for date in map(_as_date, cells) if date is not None]
    if len(dates) < len(cells) or len({date.tzinfo is None for date in dates}) > 1:
        return None
    first = dates[0]
    return [(date - first).total_seconds() for date in dates]


def _as_number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _as_date(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None
