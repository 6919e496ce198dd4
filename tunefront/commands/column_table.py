"""The columns of a table of data, as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from tunefront.printable import on_one_line
from tunefront.search.data.inspection.column_facts import ColumnFacts

_MAX_COLUMNS = 60
_MAX_CATEGORIES = 6


def column_table(columns: Sequence[ColumnFacts]) -> Table:
    """Return a row for each column: its kind, what is missing, and its values."""
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left", title_style="bold")
    table.add_column("column", overflow="ellipsis", no_wrap=True, max_width=40)
    table.add_column("kind", no_wrap=True)
    table.add_column("missing", justify="right", no_wrap=True)
    table.add_column("values")
    for column in columns[:_MAX_COLUMNS]:
        missing = Text(f"{column.n_missing:,}", style="yellow" if column.n_missing else "")
        table.add_row(Text(on_one_line(column.name)), column.kind, missing, Text(_values(column)))
    if len(columns) > _MAX_COLUMNS:
        table.caption = f"and {len(columns) - _MAX_COLUMNS:,} more columns, all in --json"
    return table


def _values(column: ColumnFacts) -> str:
    if column.kind == "number":
        if column.low is None:
            return "none"
        scale = "" if column.mean is None else f", in training mean {column.mean:.4g}, deviation {column.deviation:.4g}"
        return f"{column.low:g} to {column.high:g}{scale}"
    shown = [f"{on_one_line(name)} {count:,}" for name, count in list(column.counts.items())[:_MAX_CATEGORIES]]
    n_more = len(column.counts) - _MAX_CATEGORIES
    shown += [f"{n_more:,} more"] if n_more > 0 else []
    shown += [f"unknown in training {column.n_unknown:,}"] if column.n_unknown else []
    return ", ".join(shown)
