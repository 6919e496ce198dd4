"""A CSV file that names image files and their classes, or numbers to predict."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray
from pydantic import field_validator, model_validator

from tunefront.search.data.examples import (
    DataError,
    EncodedFile,
    Examples,
    check_file,
    readable,
)
from tunefront.search.data.sources.source import FileSource
from tunefront.search.data.sources.tables.classes import class_of_one_hot_rows, class_of_rows, only_label_column
from tunefront.search.data.sources.tables.csv_header import NamedColumns, read_table
from tunefront.search.data.sources.tables.csv_rows import CsvRows
from tunefront.search.data.sources.tables.files import files_of_rows, refuse_unlisted
from tunefront.search.data.sources.tables.numbers import check_times, number_of_rows
from tunefront.search.data.sources.tables.row_columns import groups_of_rows, known_column, splits_of_rows
from tunefront.search.system.regular_files import user_path


class TableSource(FileSource):
    """The source of images that the rows of a CSV file name, each with its class, or its number to predict.

    Attributes:
        path: The CSV file, with a line of column names; without one, columns are called by their numbers, from 1.
        images: The folder that file names start from; empty means the folder of the CSV file.
        file_column: The column of files; empty means the first column that no other key names.
        label_column: The column of the class or the number, or those of a one-hot table, whose names are then the
            classes. Empty means the one that is left beside the file, the split, the group and the time.
        split_column: A column of ``train``, ``validation`` (``valid``, ``val``) and ``test``, if there is one.
        group_column: A column of groups that must stay in one split: patient, film, animal. Empty means no groups.
        time_column: A column of times that increase from row to row, for a split by time. Empty takes the rows' order.
        extension: The ending to append to each file name, such as ``.jpg``.
        unlisted: What to do about images in the folder that no row names.
    """

    has_numbers: ClassVar[bool] = True
    has_order: ClassVar[bool] = True

    source: Literal["table"]
    path: str
    images: str = ""
    file_column: str = ""
    label_column: str | list[str] = ""
    split_column: str = ""
    group_column: str = ""
    time_column: str = ""
    extension: str = ""
    unlisted: Literal["error", "ignore"] = "error"

    @field_validator("label_column")
    @classmethod
    def _check_label_column(cls, value: str | list[str]) -> str | list[str]:
        if isinstance(value, str):
            return value
        names = [name.strip() for name in value]
        if not names or not all(names):
            raise ValueError("name the columns of a one-hot table, or leave label_column out")
        if len(names) == 1:
            raise ValueError(
                "a one-hot table has a column for each class, two or more: for one column of class names write "
                f'label_column = "{names[0]}"'
            )
        twice = [name for place, name in enumerate(names) if name in names[:place]]
        if twice:
            raise ValueError(f"it names the column {twice[0]!r} twice: leave one of them out")
        return value

    @model_validator(mode="after")
    def _check_columns(self) -> TableSource:
        if self.split == "random" and self.time_column:
            raise ValueError(
                f'time_column = "{self.time_column}" is for a split by time: write split = "time", or leave it out'
            )
        if self.split == "time" and self.group_column:
            raise ValueError(
                f'group_column = "{self.group_column}" keeps groups whole, and split = "time" cuts where the time '
                "says: leave one of them out"
            )
        if self.task == "regression" and isinstance(self.label_column, list):
            raise ValueError('label_column is a list of classes, and task = "regression" predicts a number: name one')
        return self

    def check_files(self) -> None:
        path = user_path(self.path)
        check_file(path)
        self._folder(path)

    def find(self) -> Examples:
        path = user_path(self.path)
        named = self._named(path)
        table = read_table(path, named)
        file_column = known_column(table, path, "file_column", named.file) or _first_column(table, named)
        splits = splits_of_rows(table, path, self.split_column)
        names, labels = self._labels(table, path, file_column, named)
        if self.time_column:
            check_times(table, known_column(table, path, "time_column", self.time_column.strip()), path)
        files = files_of_rows(table, file_column, named, path)
        if self.unlisted == "error":
            refuse_unlisted(named.folder, files, path)
        return Examples(
            names=[readable(str(file)) for file in files],
            labels=labels,
            class_names=names,
            content=[EncodedFile(str(file)) for file in files],
            splits=splits,
            groups=groups_of_rows(table, path, self.group_column),
        )

    def _named(self, path: Path) -> NamedColumns:
        labels = [self.label_column] if isinstance(self.label_column, str) else self.label_column
        others = [self.split_column.strip(), self.group_column.strip(), self.time_column.strip()]
        return NamedColumns(
            file=self.file_column.strip(),
            labels=[name.strip() for name in labels if name.strip()],
            others=[name for name in others if name],
            folder=self._folder(path),
            extension=self.extension,
        )

    def _folder(self, path: Path) -> Path:
        folder = user_path(self.images) if self.images else path.parent
        if not folder.is_dir():
            raise DataError(f"data.images: there is no folder {str(folder)!r} (looked for in {os.getcwd()})")
        return folder

    def _labels(
        self, table: CsvRows, path: Path, file_column: str, named: NamedColumns
    ) -> tuple[list[str], NDArray[Any]]:
        """Return class names and the number of each row's class, or no names and each row's number to predict."""
        for name in named.labels:
            known_column(table, path, "label_column", name)
            if name in (file_column, *named.others):
                raise DataError(
                    f"data.label_column: {name!r} is the column of the "
                    f"{'files' if name == file_column else 'split, the group or the time'} already: name another, the "
                    "one of the labels"
                )
        if isinstance(self.label_column, list):
            return list(named.labels), class_of_one_hot_rows(table, list(named.labels), path)
        column = next(iter(named.labels), "") or only_label_column(table, {file_column, *named.others}, path)
        if self.task == "regression":
            return [], number_of_rows(table, column, path)
        return class_of_rows(table, column, path)


def _first_column(table: CsvRows, named: NamedColumns) -> str:
    """Return the first column that the spec does not name as something else."""
    return next((name for name in table.columns if name not in named.all), table.columns[0])
