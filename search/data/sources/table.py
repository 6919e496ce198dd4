"""A CSV file that names image files and their classes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from search.data.examples import (
    DataError,
    EncodedFile,
    Examples,
    SplitName,
    check_file,
    readable,
    some_of,
    split_named,
)
from search.data.sources.csv_rows import CsvRows, read_csv
from search.data.sources.folder import IMAGE_ENDINGS
from search.data.sources.source import FileSource
from search.regular_files import user_path
from spaces.settings import nearest

_MAX_DIGITS = 1000  # Python refuses to read a number of thousands
_TRUE, _FALSE = ("1", "1.0", "true"), ("0", "0.0", "false", "")


class TableSource(FileSource):
    """Rows of file and class.

    Attributes:
        path: The CSV file, with a line of column names.
        images: The folder that file names start from; empty is the folder of the CSV file.
        file_column: Empty is the first column.
        label_column: The column of the class, or those of a one-hot table, whose names are then the classes. Empty is
            the one that is left beside the file, the split and the group.
        split_column: A column of ``train``, ``validation`` (``valid``, ``val``) and ``test``, if there is one.
        group_column: A column of what must stay on one side of a split: patient, film, animal. Empty is none.
        extension: What to append to each file name, such as ``.jpg``.
        unlisted: What to do about images in the folder that no row names.
    """

    source: Literal["table"]
    path: str
    images: str = ""
    file_column: str = ""
    label_column: str | list[str] = ""
    split_column: str = ""
    group_column: str = ""
    extension: str = ""
    unlisted: Literal["error", "ignore"] = "error"

    def check_files(self) -> None:
        path = user_path(self.path)
        check_file(path)
        self._folder(path)

    def find(self) -> Examples:
        path = user_path(self.path)
        table = self._with_rows(read_csv(path), path)
        file_column = self._known(table, path, "file_column", self.file_column) or table.columns[0]
        splits = self._splits(table, path) if self.split_column else None
        names, numbers = self._classes(table, path, file_column)
        files = self._files(path, table, file_column)
        return Examples(
            names=[readable(str(file)) for file in files],
            labels=numbers,
            class_names=names,
            content=[EncodedFile(str(file)) for file in files],
            splits=splits,
            groups=self._groups(table, path),
        )

    def _with_rows(self, table: CsvRows, path: Path) -> CsvRows:
        """The first line is a row itself where it names no columns, but an image that is there."""
        is_named = self.file_column or self.label_column or self.split_column or self.group_column
        first = self._folder(path) / f"{table.columns[0]}{self.extension}"
        return table.without_header() if not is_named and first.is_file() else table

    def _folder(self, path: Path) -> Path:
        folder = user_path(self.images) if self.images else path.parent
        if not folder.is_dir():
            raise DataError(f"data.images: there is no folder {str(folder)!r} (looked for in {os.getcwd()})")
        return folder

    def _files(self, path: Path, table: CsvRows, column: str) -> list[Path]:
        folder = self._folder(path)
        files = [folder / f"{name}{self.extension}" for name in table.column(column)]
        missing = [f"line {line}: {file}" for file, line in zip(files, table.lines, strict=True) if not file.is_file()]
        if missing:
            remedy = "correct data.images or data.extension, or remove the rows"
            raise DataError(
                f"{path}: {len(missing)} of {len(files)} files are not there: {remedy}:\n{some_of(missing)}"
            )
        if self.unlisted == "error":
            _refuse_unlisted(folder, files, path)
        return files

    def _known(self, table: CsvRows, path: Path, key: str, name: str) -> str:
        if name and name not in table.columns:
            raise DataError(f"data.{key}: {path} has no column {name!r}. {nearest(name, table.columns)}")
        return name

    def _classes(self, table: CsvRows, path: Path, file_column: str) -> tuple[list[str], np.ndarray]:
        """Class names, and the number of each row's class."""
        if isinstance(self.label_column, list):
            for name in self.label_column:
                self._known(table, path, "label_column", name)
            return list(self.label_column), _from_one_hot(table, self.label_column, path)
        column = self._known(table, path, "label_column", self.label_column) or self._only_other(
            table, path, file_column
        )
        labels = table.column(column)
        empty = [f"line {line}" for label, line in zip(labels, table.lines, strict=True) if not label]
        if empty:
            raise DataError(f"{path}: rows without a class: give them one, or remove them:\n{some_of(empty)}")
        names = in_order(labels)
        numbers = {name: number for number, name in enumerate(names)}
        return names, np.array([numbers[label] for label in labels], dtype=np.int64)

    def _only_other(self, table: CsvRows, path: Path, file_column: str) -> str:
        others = [name for name in table.columns if name not in (file_column, self.split_column, self.group_column)]
        if len(others) == 1:
            return others[0]
        raise DataError(
            f"data.label_column: {path} has the columns {', '.join(table.columns)}: which of them is the class? Write "
            f'label_column = "{others[0] if others else "..."}", or, for a table with a column for each class and a 1 '
            "in one of them, label_column = [...] with their names"
        )

    def _groups(self, table: CsvRows, path: Path) -> list[str] | None:
        if not self.group_column:
            return None
        groups = table.column(self._known(table, path, "group_column", self.group_column))
        empty = [f"line {line}" for group, line in zip(groups, table.lines, strict=True) if not group]
        if empty:
            raise DataError(f"{path}: rows without a {self.group_column}: give them one:\n{some_of(empty)}")
        return groups

    def _splits(self, table: CsvRows, path: Path) -> list[SplitName]:
        self._known(table, path, "split_column", self.split_column)
        words = table.column(self.split_column)
        splits = [split_named(word) for word in words]
        unknown = [
            f"line {line}: {word!r}"
            for word, split, line in zip(words, splits, table.lines, strict=True)
            if split is None
        ]
        if unknown:
            raise DataError(
                f"{path}: the column {self.split_column!r} has what is no split: "
                f"write train, validation or test:\n{some_of(unknown)}"
            )
        return [split for split in splits if split]


def in_order(labels: Sequence[str]) -> list[str]:
    """The different labels in one order wherever they are read: numbers in that of numbers, 10 after 9."""
    names = sorted(set(labels))
    return sorted(names, key=int) if all(name.isdecimal() and len(name) <= _MAX_DIGITS for name in names) else names


def _from_one_hot(table: CsvRows, columns: Sequence[str], path: Path) -> np.ndarray:
    cells = [table.column(name) for name in columns]
    rows = [[cell.lower() for cell in row] for row in zip(*cells, strict=True)]
    odd = [
        f"line {line}: {', '.join(cell or 'nothing' for cell in row)}"
        for row, line in zip(rows, table.lines, strict=True)
        if sum(cell in _TRUE for cell in row) != 1 or any(cell not in (*_TRUE, *_FALSE) for cell in row)
    ]
    if odd:
        raise DataError(
            f"{path}: rows that have not one 1 and else 0 in {', '.join(columns)}. An image has one class here: "
            f"correct or remove these rows, or name more columns:\n{some_of(odd)}"
        )
    return np.array([[cell in _TRUE for cell in row].index(True) for row in rows], dtype=np.int64)


def _refuse_unlisted(folder: Path, files: list[Path], path: Path) -> None:
    listed = {os.path.normpath(file) for file in files}
    found = [
        os.path.normpath(os.path.join(place, name))
        for place, folders, names in os.walk(folder)
        for name in names
        if name.lower().endswith(IMAGE_ENDINGS) and not name.startswith(".")
    ]
    unlisted = sorted(readable(file) for file in found if file not in listed)
    if unlisted:
        raise DataError(
            f"{path}: {len(unlisted)} images in {folder} are in no row. Add their rows, or say so with "
            f'unlisted = "ignore":\n{some_of(unlisted)}'
        )
