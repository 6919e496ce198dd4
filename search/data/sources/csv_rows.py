"""The rows of a CSV file as people write them: with blank lines, spaces, an index, trailing commas."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from printable import shortened
from search.data.examples import DataError, read_error, some_of
from search.regular_files import read_text_file

_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class CsvRows:
    """A table of texts.

    Attributes:
        columns: Names from the first line, without white space around them.
        rows: One text for each column; white space around it is taken off.
        lines: The line of the file that each row begins in, from 1.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    lines: Sequence[int]

    def column(self, name: str) -> list[str]:
        """The texts of one column."""
        place = list(self.columns).index(name)
        return [row[place] for row in self.rows]

    def without_header(self) -> CsvRows:
        """The same where the first line was a row already: columns are called by their numbers, from 1."""
        names = [str(number) for number in range(1, len(self.columns) + 1)]
        return CsvRows(names, [self.columns, *self.rows], [1, *self.lines])


def read_csv(path: Path) -> CsvRows:
    """Read a CSV file of UTF-8 text whose first line names the columns.

    Blank lines are passed over. An empty column that a comma at the end of each line makes is left out, and so is a
    first column without a name that counts the rows, as pandas writes it.

    Raises:
        DataError: Names file and lines where it is no such table.
    """
    try:
        text = read_text_file(path).decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        found: list[tuple[int, list[str]]] = []
        begins = 1
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                found.append((begins, cells))
            begins = reader.line_num + 1
    except OSError as error:
        raise read_error(path, error) from None
    except (UnicodeDecodeError, csv.Error, EOFError, zlib.error) as error:
        raise DataError(
            f"data.path: {path} cannot be read as CSV with UTF-8 text ({shortened(str(error), 200)})"
        ) from None
    if len(found) < 2:
        raise DataError(f"data.path: {path} is empty: it needs a line of column names, and a row for each image")
    (_, header), *body = found
    table = CsvRows(header, [cells for _, cells in body], [line for line, _ in body])
    return _without_index(_checked(_even(table), path))


def _even(table: CsvRows) -> CsvRows:
    """Without cells behind the last named column that are empty in every row."""
    width = max(len(row) for row in [table.columns, *table.rows])
    padded = [[*row, *[""] * (width - len(row))] for row in [table.columns, *table.rows]]
    while width > 1 and not any(row[width - 1] for row in padded):
        width -= 1
    columns = list(table.columns)[:width]
    return replace(table, columns=columns, rows=[list(row)[:width] for row in table.rows])


def _checked(table: CsvRows, path: Path) -> CsvRows:
    n_columns = len(table.columns)
    if n_columns == 1:
        found = [name for mark, name in _OTHER_SEPARATORS.items() if mark in table.columns[0]]
        hint = f" (there are {found[0]} in it: write commas)" if found else ""
        raise DataError(
            f"{path}: has one column, {table.columns[0]!r}, and needs two, the file and its class, separated by "
            f"commas{hint}"
        )
    uneven = [
        f"line {line}: {len(row)} values"
        for row, line in zip(table.rows, table.lines, strict=True)
        if len(row) != n_columns
    ]
    if uneven:
        raise DataError(
            f"{path}: rows that have not one value for each of the {n_columns} columns "
            f"({', '.join(table.columns)}): a value with a comma in it needs quotes:\n{some_of(uneven)}"
        )
    named = [name for name in table.columns if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise DataError(f"{path}: two columns are called {twice[0]!r}: give each a name of its own")
    return table


def _without_index(table: CsvRows) -> CsvRows:
    first = [row[0] for row in table.rows]
    is_counted = first in ([str(number + start) for number in range(len(first))] for start in (0, 1))
    if table.columns[0] or not is_counted or len(table.columns) < 3:
        return table
    return replace(table, columns=table.columns[1:], rows=[row[1:] for row in table.rows])
