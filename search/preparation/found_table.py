"""A CSV file of somebody's: whether its rows are image files or examples themselves, and which column is the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunefront.mistakes import TunefrontError, nearest
from tunefront.objectives.measures import Task
from tunefront.search.data.examples import DataError, split_named
from tunefront.search.data.sources.columns import ColumnsSource
from tunefront.search.data.sources.image_names import has_image_ending
from tunefront.search.data.sources.table import TableSource
from tunefront.search.data.sources.tables.cells import Cells
from tunefront.search.data.sources.tables.classes import USUAL_LABEL_COLUMNS
from tunefront.search.data.sources.tables.csv_header import is_index
from tunefront.search.data.sources.tables.csv_rows import CsvRows, read_csv
from tunefront.search.data.sources.tables.kinds import MAX_CATEGORIES
from tunefront.search.data.sources.tables.targets import is_quantity

_SEPARATORS = (",", ";", "\t", "|")
_SPLIT_COLUMNS = frozenset(("split", "set", "subset", "partition", "fold", "usage"))
_N_LOOKED_AT = 100  # rows
_LEAST_OF_CLASS = 3  # rows: one for each split


class FirstSpecError(TunefrontError):
    """There is nothing to write a spec for; the message says what to name."""


@dataclass(frozen=True)
class FoundTable:
    """A CSV file, as a ``[data]`` table says it.

    Attributes:
        settings: The keys of the table, without their defaults.
        task: What its target is: classes, or numbers.
        said: Which column was taken for the target, and why, for people; empty if they named it.
    """

    settings: dict[str, Any]
    task: Task
    said: str

    def source(self) -> TableSource | ColumnsSource:
        """Return the source that these settings describe."""
        if self.settings["source"] == "columns":
            return ColumnsSource.model_validate(self.settings)
        return TableSource.model_validate(self.settings)


def find_table(path: Path, where: str, label_column: str = "") -> FoundTable:
    """Find out what a CSV file is.

    Args:
        where: The path as the user wrote it.
        label_column: The column of the target; empty guesses it: the one of a usual name, or else the only one beside
            image files, and of a table without these the last one.

    Raises:
        FirstSpecError: If it has no such column, or image files and several columns that could be their classes.
        DataError: If it is no table.
    """
    separator, table = _read(path)
    columns = [Cells(name, table.column(name)) for name in dict.fromkeys(table.columns)]
    columns = [cells for cells in columns if not is_index(cells.name, cells.texts)]
    names = [cells.name for cells in columns]
    if label_column and label_column not in names:
        raise FirstSpecError(f"--label-column: {where} has no column {label_column!r}. {nearest(label_column, names)}")
    split = next((each.name for each in columns if _is_split(each) and each.name != label_column), "")
    files = _file_column(columns, table, path.parent, separator)
    if files is not None:
        return _of_files(columns, where, files, split, label_column)
    target, why = label_column, ""
    if not target:
        target, why = _target([name for name in names if name != split])
    (cells,) = [each for each in columns if each.name == target]
    task: Task = "regression" if _are_numbers(cells) else "classification"
    others = [each for each in columns if each.name not in (target, split)]
    ignored = [each.name for each in others if "/" in each.name or not each.name or _is_text(each)]
    settings = {
        "source": "columns",
        "path": where,
        **({"separator": separator} if separator != "," else {}),
        "target": target,
        **({"task": task} if task == "regression" else {}),
        **({"split_column": split} if split else {}),
        **({"ignore": ignored} if ignored else {}),
        **({"missing": "fill"} if any(each.n_missing for each in others if each.name not in ignored) else {}),
    }
    return FoundTable(settings, task, _say(target, task, why))


def _read(path: Path) -> tuple[str, CsvRows]:
    """Return what separates the columns, and the table."""
    errors = []
    for separator in _SEPARATORS:
        try:
            table, _ = read_csv(path, separator)
        except DataError as error:
            errors.append(error)
        else:
            return separator, table
    raise errors[0]


def _is_split(cells: Cells) -> bool:
    return cells.name.lower() in _SPLIT_COLUMNS and all(split_named(text) for text in cells.texts)


def _file_column(columns: Sequence[Cells], table: CsvRows, folder: Path, separator: str) -> str | None:
    """Return the column of image files, empty if the file has no line of names; None if there are no image files."""
    if separator != ",":
        return None
    if any(has_image_ending(name) for name in table.columns):
        return ""
    for cells in columns:
        looked = [text for text in cells.texts[:_N_LOOKED_AT] if text]
        if looked and all(has_image_ending(text) or (folder / text).is_file() for text in looked):
            return cells.name
    return None


def _of_files(columns: Sequence[Cells], where: str, files: str, split: str, label_column: str) -> FoundTable:
    """Describe a table of image files."""
    settings: dict[str, Any] = {"source": "table", "path": where}
    if not files:  # without a line of names, columns are called by their numbers, and the source guesses them
        return FoundTable(settings, "classification", "")
    others = [cells.name for cells in columns if cells.name not in (files, split)]
    target, why = label_column, ""
    if not target and len(others) == 1:
        target, why = others[0], "the only one beside the files"
    elif not target:
        target, why = _target(others)
        if why == _LAST:
            raise FirstSpecError(
                f"{where} has the columns {', '.join(others)} beside the image files: which of them is the class, or "
                f"the number to predict? Name it with --label-column, as in --label-column {others[-1]}"
            )
    (cells,) = [each for each in columns if each.name == target]
    task: Task = "regression" if _are_numbers(cells) else "classification"
    settings |= {
        **({"file_column": files} if files != columns[0].name else {}),
        "label_column": target,
        **({"task": task} if task == "regression" else {}),
        **({"split_column": split} if split else {}),
    }
    return FoundTable(settings, task, _say(target, task, why))


_LAST = "the last one"


def _target(names: Sequence[str]) -> tuple[str, str]:
    usual = [name for name in names if name.lower() in USUAL_LABEL_COLUMNS]
    if len(usual) == 1:
        return usual[0], "the one of a usual name"
    return names[-1], _LAST


def _are_numbers(cells: Cells) -> bool:
    """Return whether a target is to be predicted as a number: fractions, or whole numbers that hardly repeat."""
    return is_quantity(cells) or (not cells.others and len(set(cells.known)) * _LEAST_OF_CLASS > len(cells.known))


def _is_text(cells: Cells) -> bool:
    """Return whether a column has more different texts than categories may be, and not another one in each row."""
    return bool(cells.others) and MAX_CATEGORIES < len(set(cells.known)) < len(cells.texts)


def _say(target: str, task: Task, why: str) -> str:
    if not why:
        return ""
    what = "numbers to predict are" if task == "regression" else "classes are"
    return f"the {what} in the column {target!r}, {why}"
