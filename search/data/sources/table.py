"""A CSV file that names image files and their classes."""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np

from search.data.examples import (
    SPLIT_WORDS,
    DataError,
    EncodedFile,
    Examples,
    SplitName,
    check_file,
    read_error,
    readable,
    some_of,
)
from search.data.sources.folder import IMAGE_ENDINGS
from search.data.sources.source import FileSource
from search.regular_files import read_text_file, user_path
from spaces.settings import nearest

_MAX_DIGITS = 1000  # Python refuses to read a number of thousands


class TableSource(FileSource):
    """Rows of file and class.

    Attributes:
        path: The CSV file, with a line of column names.
        images: The folder that file names start from; empty is the folder of the CSV file.
        file_column: Empty is the first column.
        label_column: Empty is the second column.
        split_column: A column of ``train``, ``validation`` (``valid``, ``val``) and ``test``, if there is one.
        extension: What to append to each file name, such as ``.jpg``.
        unlisted: What to do about images in the folder that no row names.
    """

    source: Literal["table"]
    path: str
    images: str = ""
    file_column: str = ""
    label_column: str = ""
    split_column: str = ""
    extension: str = ""
    unlisted: Literal["error", "ignore"] = "error"

    def check_files(self) -> None:
        path = user_path(self.path)
        check_file(path)
        self._folder(path)

    def find(self) -> Examples:
        path = user_path(self.path)
        table = _read(path)
        labels = self._column(table, path, "label_column", 1)
        empty = [f"line {row + 2}" for row, label in enumerate(labels) if not label.strip()]
        if empty:
            raise DataError(f"{path}: rows without a class: give them one, or remove them:\n{some_of(empty)}")
        splits = self._splits(table, path) if self.split_column else None
        files = self._files(path, table)
        names = sorted(set(labels), key=_in_order(labels))
        numbers = {name: number for number, name in enumerate(names)}
        return Examples(
            names=[readable(str(file)) for file in files],
            labels=np.array([numbers[label] for label in labels], dtype=np.int64),
            class_names=names,
            content=[EncodedFile(str(file)) for file in files],
            splits=splits,
        )

    def _folder(self, path: Path) -> Path:
        folder = user_path(self.images) if self.images else path.parent
        if not folder.is_dir():
            raise DataError(f"data.images: there is no folder {str(folder)!r} (looked for in {os.getcwd()})")
        return folder

    def _files(self, path: Path, table: Any) -> list[Path]:
        folder = self._folder(path)
        files = [folder / f"{name}{self.extension}" for name in self._column(table, path, "file_column", 0)]
        missing = [f"line {row + 2}: {file}" for row, file in enumerate(files) if not file.is_file()]
        if missing:
            remedy = "correct data.images or data.extension, or remove the rows"
            raise DataError(
                f"{path}: {len(missing)} of {len(files)} files are not there: {remedy}:\n{some_of(missing)}"
            )
        if self.unlisted == "error":
            _refuse_unlisted(folder, files, path)
        return files

    def _column(self, table: Any, path: Path, key: str, place: int) -> list[str]:
        chosen = getattr(self, key)
        names = [str(name) for name in table.columns]
        if not chosen and place >= len(names):
            raise DataError(
                f"{path}: has one column, {names[0]!r}, and needs two, the file and its class, separated by commas"
            )
        if chosen and chosen not in names:
            raise DataError(f"data.{key}: {path} has no column {chosen!r}. {nearest(chosen, names)}")
        return [str(value) for value in table[chosen or table.columns[place]]]

    def _splits(self, table: Any, path: Path) -> list[SplitName]:
        words = [word.strip().lower() for word in self._column(table, path, "split_column", 2)]
        unknown = [f"line {row + 2}: {word!r}" for row, word in enumerate(words) if word not in SPLIT_WORDS]
        if unknown:
            raise DataError(
                f"{path}: the column {self.split_column!r} has what is no split: "
                f"write train, validation or test:\n{some_of(unknown)}"
            )
        return [SPLIT_WORDS[word] for word in words]


def _read(path: Path) -> Any:
    import pandas as pd

    try:
        content = read_text_file(path)
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except OSError as error:
        raise read_error(path, error) from None
    except (UnicodeDecodeError, pd.errors.ParserError, EOFError, zlib.error) as error:
        raise DataError(f"data.path: {path} cannot be read as CSV with UTF-8 text ({error})") from None
    except pd.errors.EmptyDataError:
        table = None
    if table is None or not len(table):
        raise DataError(f"data.path: {path} is empty: it needs a line of column names, and a row for each image")
    return table


def _in_order(labels: list[str]) -> Any:
    """Numbers in the order of numbers, so that 10 comes after 9."""
    is_number = all(label.isdecimal() and len(label) <= _MAX_DIGITS for label in set(labels))
    return int if is_number else str


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
