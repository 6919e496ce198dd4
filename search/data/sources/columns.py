"""A CSV file of numbers and categories, one example a row, with a target to predict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from tunefront.search.data.examples import DataError, Examples, check_file, readable, some_of
from tunefront.search.data.sources.class_order import in_order
from tunefront.search.data.sources.source import Source
from tunefront.search.data.sources.tables.cells import Cells
from tunefront.search.data.sources.tables.csv_header import is_index, refuse_double_names
from tunefront.search.data.sources.tables.csv_rows import CsvRows, read_csv
from tunefront.search.data.sources.tables.kinds import Guesses, kinds_of
from tunefront.search.data.sources.tables.row_columns import groups_of_rows, known_column, splits_of_rows
from tunefront.search.data.sources.tables.targets import class_targets, number_targets, target_column
from tunefront.search.system.regular_files import user_path
from tunefront.spaces.columns.column import Column

_MAX_COLUMNS = 500  # each is an input of the saved model
_MAX_NAMED = 12


class ColumnsSource(Source):
    """The source of examples that are the rows of a CSV file: columns of numbers and categories, and a target.

    Attributes:
        path: The CSV file, with a line of column names; without one, columns are called by their numbers, from 1.
        separator: What stands between two values.
        target: The column to predict; empty means the one called target, label, class, y or the like, or else the last.
        numbers: Columns that hold numbers, where a guess would take them for categories.
        categories: Columns that hold categories, though their cells are numbers.
        ignore: Columns that the network does not get.
        split_column: A column of ``train``, ``validation`` (``valid``, ``val``) and ``test``, if there is one.
        group_column: A column of groups that must stay in one split: patient, school, household. Empty means no groups.
        missing: Whether a cell without a value stops everything, or is filled in: a number with the training's mean, a
            category as unknown.
        equal_rows: Whether rows of equal values are examples of their own, as two persons of one age and place are, or
            copies of one another, which must stay in one split.
    """

    has_numbers: ClassVar[bool] = True
    has_order: ClassVar[bool] = True

    source: Literal["columns"]
    path: str
    separator: Literal[",", ";", "\t", "|"] = ","
    target: str = ""
    numbers: list[str] = Field(default=[])
    categories: list[str] = Field(default=[])
    ignore: list[str] = Field(default=[])
    split_column: str = ""
    group_column: str = ""
    missing: Literal["error", "fill"] = "error"
    equal_rows: Literal["apart", "together"] = "apart"

    @model_validator(mode="after")
    def _check_columns(self) -> ColumnsSource:
        uses: dict[str, str] = {}
        for key, name in self._named():
            if name in uses:
                other = uses[name]
                both = f"{key} names it twice" if other == key else f"it is in {other} and in {key}"
                raise ValueError(f"the column {name!r} has one use, and {both}: leave one of them out")
            uses[name] = key
        return self

    @property
    def joins_copies(self) -> bool:
        return self.equal_rows == "together"

    def check_files(self) -> None:
        check_file(user_path(self.path))

    def find(self) -> Examples:
        path = user_path(self.path)
        table = self._table(path)
        target = known_column(table, path, "target", self.target.strip()) or target_column(table, self._taken)
        labels, class_names = self._labels(table, target, path)
        cells = [Cells(name, table.column(name)) for name in table.columns if name not in {*self._taken, target}]
        guesses = kinds_of(cells, self.numbers, self.categories, table.lines)
        chosen = [one for kind in ("number", "category") for one in cells if guesses.kinds.get(one.name) == kind]
        self._check_chosen(chosen, path)
        columns = [_column(one, guesses) for one in chosen]
        return Examples(
            names=[f"{readable(str(path))}: line {line}" for line in table.lines],
            labels=labels,
            class_names=class_names,
            content=np.stack([_values(one, column) for one, column in zip(chosen, columns, strict=True)], axis=1),
            splits=splits_of_rows(table, path, self.split_column),
            groups=groups_of_rows(table, path, self.group_column),
            columns=columns,
            notes={**self._describe_target(table, target), **_describe(columns, guesses)},
        )

    def _table(self, path: Path) -> CsvRows:
        table, line = read_csv(path, self.separator)
        names = [name for _, name in self._named()]
        if not (names and set(names) <= set(table.columns)) and _is_row(table):
            table = table.without_header(line)
        refuse_double_names(table, path)
        places = range(len(table.columns))
        table = table.without_index(
            {place for place in places if is_index(table.columns[place], [row[place] for row in table.rows])}
        )
        for key, name in self._named():
            known_column(table, path, key, name)
        for name in table.columns:
            if name not in self.ignore and (not name or "/" in name):
                found = f"the column {name!r}" if name else "a column without a name"
                raise DataError(
                    f"{readable(str(path))}: has {found}, and the saved model takes columns by their names, without "
                    f'slashes: rename it in the file, or write ignore = ["{name}"]'
                )
        return table

    def _named(self) -> Iterator[tuple[str, str]]:
        """Yield each column that the spec names, with its key."""
        for key in ("target", "split_column", "group_column"):
            if name := getattr(self, key).strip():
                yield key, name
        for key in ("numbers", "categories", "ignore"):
            yield from ((key, name.strip()) for name in getattr(self, key))

    @property
    def _taken(self) -> set[str]:
        """The columns that are neither for the network nor the target."""
        return {name for key, name in self._named() if key in ("split_column", "group_column", "ignore")}

    def _labels(self, table: CsvRows, target: str, path: Path) -> tuple[NDArray[Any], list[str]]:
        cells = Cells(target, table.column(target))
        if self.task == "regression":
            return number_targets(cells, table.lines, path), []
        return class_targets(cells, table.lines, path)

    def _check_chosen(self, chosen: Sequence[Cells], path: Path) -> None:
        if not chosen:
            raise DataError(
                f"data: {readable(str(path))} has no column to predict from beside the target: each of the others is "
                "left out by ignore, or says nothing. Name those to use in numbers or categories"
            )
        if len(chosen) > _MAX_COLUMNS:
            raise DataError(
                f"data: {readable(str(path))} has {len(chosen):,} columns, and at most {_MAX_COLUMNS} can be used: "
                'name others in ignore, or give them as an array with source = "npz"'
            )
        lacking = [f"{one.name}: {one.n_missing:,}" for one in chosen if one.n_missing]
        if lacking and self.missing == "error":
            raise DataError(
                f"data: columns of {readable(str(path))} have cells without a value. Fill them in, leave columns out "
                'with ignore = [...], or write missing = "fill": numbers get the mean of the training, categories '
                f"count as unknown, in the saved model too:\n{some_of(lacking)}"
            )

    def _describe_target(self, table: CsvRows, target: str) -> Mapping[str, int]:
        if self.target:
            return {}
        why = "the last one" if target == table.columns[-1] else "the one of a usual name"
        what = "number" if self.task == "regression" else "class"
        return {
            f"rows have their {what} in the column {target!r}, {why}: name another with target = ...": len(table.rows)
        }


def _is_row(table: CsvRows) -> bool:
    """Return whether the first line is a row already: it has numbers wherever all rows have some, and has some."""
    columns = [Cells(name, [row[place] for row in table.rows]) for place, name in enumerate(table.columns)]
    numeric = [cells for cells in columns if cells.known and not cells.others]
    return bool(numeric) and all(not Cells("", [cells.name]).others for cells in numeric)


def _column(cells: Cells, guesses: Guesses) -> Column:
    kind = guesses.kinds[cells.name]
    vocabulary = tuple(in_order(cells.known)) if kind == "category" else ()
    return Column(cells.name, kind, vocabulary, cells.n_missing)


def _values(cells: Cells, column: Column) -> NDArray[np.float32]:
    """Return the stored values of a column: see :class:`Column`."""
    if column.kind == "number":
        return cells.numbers()
    numbers = {text: number for number, text in enumerate(column.vocabulary, start=1)}
    return np.array([numbers.get(text, 0) for text in cells.texts], dtype=np.float32)


def _describe(columns: Sequence[Column], guesses: Guesses) -> dict[str, int]:
    """Return notes on what the columns were taken for, and what was left out."""
    notes = {}
    for kind in ("number", "category"):
        names = [column.name for column in columns if column.kind == kind]
        what = {"number": "numbers", "category": "categories"}[kind]
        notes[f"{'column holds' if len(names) == 1 else 'columns hold'} {what}: {_listed(names)}"] = len(names)
    for reason, names in guesses.left_out.items():
        what = "column was left out" if len(names) == 1 else "columns were left out"
        notes[f"{what}, {reason}: {_listed(names)}"] = len(names)
    lacking = [f"{column.name} ({column.n_missing:,})" for column in columns if column.n_missing]
    n_missing = sum(column.n_missing for column in columns)
    notes[f'cells have no value, and are filled in (missing = "fill"): {_listed(lacking)}'] = n_missing
    return {what: count for what, count in notes.items() if count}


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MAX_NAMED])
    return f"{shown} and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else shown
