"""A CSV file, whose rows are examples for a model of tables: it takes the raw columns by their names."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from tunefront.mistakes import nearest
from tunefront.printable import shown
from tunefront.search.data.examples import DataError, readable
from tunefront.search.data.sources.tables.cells import MISSING, number_of
from tunefront.search.data.sources.tables.csv_rows import csv_text_of, numbered_rows
from tunefront.search.prediction.examples import UnseenExample
from tunefront.search.prediction.prediction_card import ColumnCard

_SEPARATORS = ",;\t|"


@dataclass(frozen=True)
class TableInput:
    """A CSV file with the columns that a model takes, among others perhaps, such as the target."""

    name: str
    path: Path
    columns: Sequence[ColumnCard]

    def examples(self) -> Iterator[UnseenExample]:
        """Yield each row; a file that cannot be used is one example with its problem."""
        try:
            rows = self._rows()
            header = self._header(rows)
        except DataError as error:
            why = str(error).removeprefix("data.path: ").removeprefix(readable(str(self.path))).lstrip()
            yield UnseenExample(self.name, problem=why)
            return
        n_named = _n_filled(header)
        for line, cells in rows:
            name = f"{self.name}: line {line}"
            # As in training, empty cells behind the last named column, from commas at the ends of lines, do not count.
            if len(cells) < n_named or any(cells[len(header) :]):
                yield UnseenExample(name, problem=f"has {len(cells)} values, and there are {len(header)} columns")
                continue
            row = dict(zip_longest(header, cells[: len(header)], fillvalue=""))
            problem = self._problem(row)
            yield UnseenExample(name, None if problem else self._values(row), problem)

    def _rows(self) -> list[tuple[int, list[str]]]:
        """Return the lines that are not blank, each with its number and its cells, the header first."""
        text = csv_text_of(self.path)
        first = next(iter(text.splitlines()), "")
        separator = max(_SEPARATORS, key=lambda mark: len(self._known(_cells(first, mark))))
        try:
            found = numbered_rows(text, separator)
        except csv.Error as error:
            raise DataError(f"cannot be read as CSV ({error})") from None
        if not found:
            raise DataError("is empty")
        return found

    def _header(self, rows: list[tuple[int, list[str]]]) -> list[str]:
        """Return the names of the columns, and take their line off the rows if they stand in it."""
        names = [column.name for column in self.columns]
        header = rows[0][1]
        if all(name.isdecimal() for name in names) and not set(names) <= set(header):
            # The table of the training had no header, and its columns were called by their numbers.
            n_columns = max(_n_filled(header), min(len(header), max(map(int, names))))
            header = [str(number) for number in range(1, n_columns + 1)]
        else:
            rows.pop(0)
        missing = [name for name in names if name not in header]
        if missing:
            raise DataError(
                f"lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}. {nearest(missing[0], header)}"
            )
        if not rows:
            raise DataError("has no row below its column names")
        return header

    def _known(self, cells: Sequence[str]) -> set[str]:
        return {column.name for column in self.columns} & set(cells)

    def _problem(self, row: Mapping[str, str]) -> str:
        for column in self.columns:
            cell = row[column.name]
            if column.kind == "number" and cell not in MISSING and number_of(cell) is None:
                return f"has {shown(cell)} in {column.name}, which is a column of numbers"
        return ""

    def _values(self, row: Mapping[str, str]) -> dict[str, float | str]:
        """Return the raw columns as the saved model takes them: NaN for a number that is missing, "" for a text."""
        values: dict[str, float | str] = {}
        for column in self.columns:
            cell = "" if row[column.name] in MISSING else row[column.name]
            number = number_of(cell) if column.kind == "number" else None
            values[column.name] = cell if column.kind == "category" else np.nan if number is None else number
        return values


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line; none where this is not its separator, and so a cell too long for one."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []


def _n_filled(cells: Sequence[str]) -> int:
    """Return the number of cells up to the last one that is not empty."""
    return max((place for place, cell in enumerate(cells, 1) if cell), default=0)
