"""Texts of a study as cells of a CSV file that no spreadsheet takes for a formula.

Names of parameters, choices and reasons of failures come from whoever wrote the spec. A spreadsheet runs a cell that
begins with one of a few characters (https://owasp.org/www-community/attacks/CSV_Injection). Some drop blanks before
such a character and run the cell too. After an apostrophe, the cell is plain text.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any

_FORMULA_STARTS = "=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20"  # the last four: full-width = + - @
# A text with apostrophes before such a character is escaped too, so that every escaped cell can be read back.
_FORMULA_LIKE = re.compile(rf"['\s]*[{_FORMULA_STARTS}]")
_ESCAPED_CELL = re.compile(rf"'['\s]*[{_FORMULA_STARTS}]")


def as_cell(text: str) -> str:
    """Return the text, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if _FORMULA_LIKE.match(text) else text


def from_cell(cell: str) -> str:
    """Return the text from which :func:`as_cell` made `cell`."""
    return cell[1:] if _ESCAPED_CELL.match(cell) else cell


def csv_of(frame: Any) -> str:
    """Return a pandas data frame as CSV with a header and without an index, whatever line breaks its texts have."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")  # pandas writes the same, in half as much time again
    rows.writerow(frame.columns)
    rows.writerows(zip(*(_cells(frame.iloc[:, place]) for place in range(frame.shape[1])), strict=True))
    written = text.getvalue()
    # Python's csv module quotes only the line break that it ends rows with. A carriage return in a text would begin a
    # new row, whose first cell was not escaped.
    return written if "\r" not in written else str(frame.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC))


def _cells(column: Any) -> list[Any]:
    """Return the values of a column of a data frame; a missing one is an empty text."""
    return list(column.astype(object).where(column.notna(), "").tolist())
