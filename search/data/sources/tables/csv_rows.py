"""The rows of a CSV file as people write them: with blank lines, spaces, trailing commas."""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tunefront.printable import shortened
from tunefront.search.data.examples import DataError, read_error, readable, some_of
from tunefront.search.data.file_kinds import is_lfs_pointer, is_utf16
from tunefront.search.system.regular_files import read_text_file

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # the first bytes of .xlsx and .xls


@dataclass(frozen=True)
class CsvRows:
    """A table of texts.

    Attributes:
        columns: Names from the first line, without white space around them.
        rows: Texts, one for each column, without white space around them.
        lines: The line of the file that each row begins in, from 1.
        has_header: Whether the first line names the columns; else their numbers, from 1, are their names.
        n_index: The number of columns that were left out because they count rows.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    lines: Sequence[int]
    has_header: bool = True
    n_index: int = 0

    def column(self, name: str) -> list[str]:
        """Return the texts of one column."""
        place = list(self.columns).index(name)
        return [row[place] for row in self.rows]

    def without_header(self, line: int) -> CsvRows:
        """Return the table with its first line, of this number, as a row instead of a header."""
        names = [str(number) for number in range(1, len(self.columns) + 1)]
        return CsvRows(names, [self.columns, *self.rows], [line, *self.lines], has_header=False)

    def without_index(self, places: Collection[int]) -> CsvRows:
        """Return the table without the columns at some places, which count rows."""
        kept = [place for place in range(len(self.columns)) if place not in places]
        return replace(
            self,
            columns=[self.columns[place] for place in kept],
            rows=[[row[place] for place in kept] for row in self.rows],
            n_index=len(places),
        )


def read_csv(path: Path, separator: str = "") -> tuple[CsvRows, int]:
    """Read a CSV file of UTF-8 text; return its table and the number of its first line that is not blank.

    Blank lines are skipped. An empty column that comes from a comma at the end of each line is left out.

    Args:
        separator: What stands between two values, where the spec has a key for it; empty means a comma, and no key.

    Raises:
        DataError: Names file and lines where it is no such table.
    """
    try:
        found = numbered_rows(csv_text_of(path), separator or ",")
    except csv.Error as error:
        raise DataError(
            f"data.path: {readable(str(path))} cannot be read as CSV with UTF-8 text ({shortened(str(error), 200)}): "
            "put a value with quotes in it in quotes, and double those in it"
        ) from None
    if len(found) < 2:
        raise DataError(
            f"data.path: {readable(str(path))} is empty: it needs a line of column names, and a row for each image"
        )
    (line, header), *body = found
    table = CsvRows(header, [cells for _, cells in body], [number for number, _ in body])
    return _checked(_drop_empty_cells(table), path, separator), line


def csv_text_of(path: Path) -> str:
    """Return the text of a CSV file, without a byte-order mark.

    Raises:
        DataError: If it cannot be read, or is no UTF-8 text.
    """
    name = readable(str(path))
    try:
        data = read_text_file(path)
    except OSError as error:
        raise read_error(path, error) from None
    except (EOFError, zlib.error) as error:
        raise DataError(f"data.path: {name} is packed, and damaged or cut off ({error}): copy it again") from None
    if is_lfs_pointer(data):
        raise DataError(f"data.path: {name} is a pointer that Git LFS left in place of the file: run git lfs pull")
    if data.startswith(_WORKBOOKS):
        raise DataError(f"data.path: {name} is an Excel workbook: save it as CSV (UTF-8) there")
    if is_utf16(data):
        raise DataError(f"data.path: {name} cannot be read as CSV with UTF-8 text: it is UTF-16. Save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            f"data.path: {name} cannot be read as CSV with UTF-8 text (line {line} has the byte "
            f"0x{data[error.start]:02x}; it may be Latin-1 or Windows-1252): save it as UTF-8"
        ) from None


def _drop_empty_cells(table: CsvRows) -> CsvRows:
    """Drop the cells behind the last named column that are empty in every row."""
    width = max(len(row) for row in [table.columns, *table.rows])
    padded = [[*row, *[""] * (width - len(row))] for row in [table.columns, *table.rows]]
    while width > 1 and not any(row[width - 1] for row in padded):
        width -= 1
    columns = list(table.columns)[:width]
    return replace(table, columns=columns, rows=[list(row)[:width] for row in table.rows])


def _checked(table: CsvRows, path: Path, separator: str) -> CsvRows:
    n_columns = len(table.columns)
    if n_columns == 1:
        needed = "a value and the target" if separator else "the file and its class"
        raise DataError(
            f"{path}: has one column, {table.columns[0]!r}, and needs two, {needed}, separated by "
            f"{_SEPARATORS[separator or ',']}{_separator_hint(table.columns[0], separator)}"
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
    return table


def _separator_hint(line: str, separator: str) -> str:
    """Return what to do about another separator in a line of one column; empty if there is none."""
    found = next((mark for mark in _SEPARATORS if mark != (separator or ",") and mark in line), "")
    if not found:
        return ""
    remedy = f"separator = {json.dumps(found)} in [data]" if separator else "commas"
    return f" (there are {_SEPARATORS[found]} in it: write {remedy})"


def numbered_rows(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, each with its line, from 1, and its cells without the spaces around them.

    Raises:
        csv.Error: If it is no CSV; says from which line on.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    found, begins = [], 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                found.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"from line {begins} on: {error}") from None
    return found
