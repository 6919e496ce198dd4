"""The first line of a CSV file: the names of its columns, or a row already; and which columns only count rows."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunefront.search.data.examples import DataError, readable
from tunefront.search.data.sources.image_names import has_image_ending
from tunefront.search.data.sources.tables.csv_rows import CsvRows, read_csv

# pandas writes its index under an empty name, and calls it "Unnamed: 0" when it reads and writes the file again.
_UNNAMED = re.compile(r"(?:Unnamed: \d+(?:\.\d+)?(?:_level_\d+)?)?")
_WHOLE = re.compile(r"-?\d+(?:\.0)?")


@dataclass(frozen=True)
class NamedColumns:
    """The columns that a spec names, and the folder and ending of the files that one column names.

    Attributes:
        file: Empty where it says nothing.
        labels: None where it says nothing.
        others: The columns of the split and the group.
        folder: The folder that file names start from.
        extension: The ending that is appended to each file name.
    """

    file: str
    labels: Collection[str]
    others: Collection[str]
    folder: Path
    extension: str

    @property
    def all(self) -> set[str]:
        """Every column that the spec names."""
        return {name for name in (self.file, *self.labels, *self.others) if name}

    def is_file(self, cell: str) -> bool:
        """Return whether a cell names a file that is there."""
        return bool(cell) and os.path.isfile(self.folder / f"{cell}{self.extension}")


def read_table(path: Path, named: NamedColumns) -> CsvRows:
    """Read a CSV file, name its columns, and leave out its index.

    Raises:
        DataError: Names file and lines where it is no table, or two of its columns have one name.
    """
    table, line = read_csv(path)
    if _is_row(table, named):
        return table.without_header(line)
    refuse_double_names(table, path)
    return table.without_index(_index_places(table, named))


def refuse_double_names(table: CsvRows, path: Path) -> None:
    """Refuse a table of which two columns have one name.

    Raises:
        DataError: Names the file and the name.
    """
    twice = sorted({name for name in table.columns if name and list(table.columns).count(name) > 1})
    if twice:
        raise DataError(f"{readable(str(path))}: two columns are called {twice[0]!r}: give each a name of its own")


def is_index(name: str, cells: Sequence[str]) -> bool:
    """Return whether a column is a table's index: it has no name of its own, and whole numbers alone."""
    return bool(_UNNAMED.fullmatch(name)) and all(_WHOLE.fullmatch(cell) for cell in cells)


def _is_row(table: CsvRows, named: NamedColumns) -> bool:
    """Return whether the first line is a row already: it holds an image file's name in place of a column's name."""
    if any(has_image_ending(cell) for cell in table.columns if cell not in named.all):
        return True
    if named.all and named.all <= set(table.columns):
        return False
    is_number = named.file.isdecimal() and 0 < int(named.file) <= len(table.columns)
    place = int(named.file) - 1 if is_number else 0
    first, second = table.columns[place], table.rows[0][place]
    # A name without an ending can still be recognized by its number, though its image is missing: IMG_0001, IMG_0002.
    return named.is_file(first) or (bool(named.extension) and _is_counted_on(first, second))


def _is_counted_on(first: str, second: str) -> bool:
    shapes = [re.sub(r"\d+", "0", cell) for cell in (first, second)]
    return shapes[0] == shapes[1] and "0" in shapes[0]


def _index_places(table: CsvRows, named: NamedColumns) -> set[int]:
    """Return the places of unnamed columns of whole numbers; none if too few columns would be left without them."""
    places = {
        place
        for place, name in enumerate(table.columns)
        if name not in named.all
        and is_index(name, [row[place] for row in table.rows])
        and not named.is_file(table.rows[0][place])
    }
    n_left = sum(place not in places and name not in named.all for place, name in enumerate(table.columns))
    n_needed = (not named.file) + (not named.labels)
    return places if n_left >= n_needed else set()
