"""The image files that a table's rows name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tunefront.search.data.examples import DataError, readable, some_of
from tunefront.search.data.sources.folders.entries import images_below
from tunefront.search.data.sources.image_names import has_image_ending
from tunefront.search.data.sources.tables.csv_header import NamedColumns
from tunefront.search.data.sources.tables.csv_rows import CsvRows

_MAX_TRIED = 100  # rows that are read to find the column of file names


def files_of_rows(table: CsvRows, column: str, named: NamedColumns, path: Path) -> list[Path]:
    """Return each row's file.

    Raises:
        DataError: Names the rows whose file is not there, and the right column if another one holds the files.
    """
    cells = table.column(column)
    missing = [
        f"line {line}: {readable(str(named.folder / cell))}{named.extension}"
        for cell, line in zip(cells, table.lines, strict=True)
        if not named.is_file(cell)
    ]
    if len(missing) == len(cells):
        _refuse_column(table, column, named, path)
    empty = [f"line {line}" for cell, line in zip(cells, table.lines, strict=True) if not cell]
    if empty:
        raise DataError(f"{readable(str(path))}: rows without a file: name it, or remove the rows:\n{some_of(empty)}")
    if missing:
        remedy = "correct data.images or data.extension, or remove the rows"
        index = "; a column of row numbers without a name was passed over: if it names the files, give it a name"
        raise DataError(
            f"{readable(str(path))}: {len(missing)} of {len(cells)} files are not there: {remedy}"
            f"{index if table.n_index and len(missing) == len(cells) else ''}:\n{some_of(missing)}"
        )
    return [named.folder / f"{cell}{named.extension}" for cell in cells]


def refuse_unlisted(folder: Path, files: Sequence[Path], path: Path) -> None:
    """Check that every image below a folder is one of `files`.

    Raises:
        DataError: Names the others.
    """
    listed = {os.path.normpath(file) for file in files}
    unlisted = sorted(readable(file) for file in map(os.path.normpath, images_below(folder)) if file not in listed)
    if unlisted:
        raise DataError(
            f"{readable(str(path))}: {len(unlisted)} images in {readable(str(folder))} are in no row. Add their rows, "
            f'or say so with unlisted = "ignore":\n{some_of(unlisted)}'
        )


def _refuse_column(table: CsvRows, column: str, named: NamedColumns, path: Path) -> None:
    """Refuse a column that names no files if another one does, or seems to."""
    others = [name for name in table.columns if name and name != column]
    for is_fitting in (named.is_file, has_image_ending):
        if any(map(is_fitting, table.column(column)[:_MAX_TRIED])):
            return
        fitting = [name for name in others if any(map(is_fitting, table.column(name)[:_MAX_TRIED]))]
        if fitting:
            raise DataError(
                f"data.file_column: {readable(str(path))} has no file names in the column {column!r}"
                f"{'' if named.file else ', its first'}, but in {fitting[0]!r}: write "
                f'file_column = "{fitting[0]}"'
            )
