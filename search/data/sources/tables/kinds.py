"""The kinds of a table's columns: named, or guessed from their cells."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tunefront.search.data.examples import DataError, some_of
from tunefront.search.data.sources.tables.cells import Cells
from tunefront.spaces.columns.column import Kind

MAX_CATEGORIES = 1000  # each is a unit of the network; what has more is an identifier, or a text
_MOSTLY = 0.9  # a column with so many numbers among its values was meant to hold numbers


@dataclass(frozen=True)
class Guesses:
    """The kinds of the columns that a network gets, and those that it does not.

    Attributes:
        kinds: Column -> its kind, in the order of the file.
        left_out: What it is that leaves columns out -> their names.
    """

    kinds: dict[str, Kind]
    left_out: dict[str, list[str]]


def kinds_of(
    columns: Sequence[Cells], numbers: Collection[str], categories: Collection[str], lines: Sequence[int]
) -> Guesses:
    """Return the kind of each column: as named, else numbers if all cells are, and else categories.

    A column that says nothing is left out unless it is named: it is empty, has one value, counts the rows, or has
    another text in every row.

    Args:
        lines: The line of each row in the file, for messages.

    Raises:
        DataError: Names columns that are neither numbers nor categories.
    """
    kinds: dict[str, Kind] = {}
    left_out: dict[str, list[str]] = {}
    for cells in columns:
        if cells.name in numbers or cells.name in categories:
            kinds[cells.name] = "number" if cells.name in numbers else "category"
        elif reason := _reason_to_leave_out(cells):
            left_out.setdefault(reason, []).append(cells.name)
            continue
        else:
            kinds[cells.name] = "category" if cells.others else "number"
        _check(cells, kinds[cells.name], cells.name in (*numbers, *categories), lines)
    return Guesses(kinds, left_out)


def _reason_to_leave_out(cells: Cells) -> str:
    if not cells.known:
        return "empty"
    if len(set(cells.known)) == 1 and not cells.n_missing:
        return "of one value"
    if cells.counts_rows():
        return "counting rows"
    if not _is_mostly_numbers(cells) and len(set(cells.known)) == len(cells.texts):
        return "with another text in each row"
    return ""


def _is_mostly_numbers(cells: Cells) -> bool:
    return len(cells.others) <= (1 - _MOSTLY) * len(cells.known)


def _check(cells: Cells, kind: Kind, is_named: bool, lines: Sequence[int]) -> None:
    others = [f"line {lines[place]}: {cells.texts[place]!r}" for place in cells.others]
    n_known = len(cells.known)
    if kind == "number" and others:
        raise DataError(
            f"data.numbers: the column {cells.name!r} has cells that are no numbers: correct them, leave them "
            f"empty, or name it in categories:\n{some_of(others, 5)}"
        )
    if kind == "category" and not is_named and _is_mostly_numbers(cells):
        raise DataError(
            f"data: the column {cells.name!r} has {n_known - len(others)} numbers, and {len(others)} cells that are "
            f'none: correct them or leave them empty, or write categories = ["{cells.name}"]:\n{some_of(others, 5)}'
        )
    if kind == "category" and len(set(cells.known)) > MAX_CATEGORIES:
        raise DataError(
            f"data: the column {cells.name!r} has {len(set(cells.known)):,} different texts, and at most "
            f'{MAX_CATEGORIES:,} are categories: write ignore = ["{cells.name}"], or larger categories into the file'
        )
