"""The text of a CSV file that is safe to open in a spreadsheet, made from a data frame."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tunefront.storage.spreadsheet import as_cell, csv_of


def csv_text(frame: pd.DataFrame) -> str:
    """Return CSV with a header and without an index, in which no text or name can be read as a formula."""
    safe = frame.rename(columns=as_cell)
    for position, kind in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            safe.isetitem(position, _safe(list(frame.iloc[:, position])))
    return csv_of(safe)


def _safe(values: list[Any]) -> list[Any]:
    cells = {text: as_cell(text) for text in {value for value in values if isinstance(value, str)}}  # few differ
    return [cells[value] if isinstance(value, str) else value for value in values]
