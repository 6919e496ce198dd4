"""The columns of a table that say something about its rows: their splits and groups."""

from __future__ import annotations

from pathlib import Path

from tunefront.mistakes import nearest
from tunefront.search.data.examples import DataError, SplitName, some_of, split_named
from tunefront.search.data.sources.tables.csv_rows import CsvRows


def known_column(table: CsvRows, path: Path, key: str, name: str) -> str:
    """Return a column's name after checking it.

    Raises:
        DataError: If the name is not empty, and there is no such column.
    """
    if name and name not in table.columns:
        told = "" if table.has_header else " (its first line is a row already, so columns are called by their numbers)"
        raise DataError(f"data.{key}: {path} has no column {name!r}. {nearest(name, table.columns)}{told}")
    return name


def groups_of_rows(table: CsvRows, path: Path, group_column: str) -> list[str] | None:
    """Return the group of each row; None if no column is named.

    Raises:
        DataError: If there is no such column, or a row has no group.
    """
    if not group_column:
        return None
    groups = table.column(known_column(table, path, "group_column", group_column.strip()))
    empty = [f"line {line}" for group, line in zip(groups, table.lines, strict=True) if not group]
    if empty:
        raise DataError(f"{path}: rows without a {group_column}: give them one:\n{some_of(empty)}")
    return groups


def splits_of_rows(table: CsvRows, path: Path, split_column: str) -> list[SplitName] | None:
    """Return the split of each row; None if no column is named.

    Raises:
        DataError: If there is no such column, a row's word is no split, or no row is for training.
    """
    if not split_column:
        return None
    column = known_column(table, path, "split_column", split_column.strip())
    words = table.column(column)
    splits = [split_named(word) for word in words]
    unknown = [
        f"line {line}: {word!r}" for word, split, line in zip(words, splits, table.lines, strict=True) if split is None
    ]
    if unknown:
        raise DataError(
            f"{path}: the column {column!r} has what is no split: write train, validation or test:\n{some_of(unknown)}"
        )
    found = [split for split in splits if split]
    if "train" not in found:
        raise DataError(
            f"data.split_column: {path} has {' and '.join(sorted(set(found)))} in the column {column!r}, and no "
            "row is train: add the rows to train on, or leave split_column out, and all rows are divided anew"
        )
    return found
