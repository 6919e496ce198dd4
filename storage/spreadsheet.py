"""Texts of a study as cells of a CSV file: a spreadsheet must take none of them for a formula.

Names of parameters, choices and reasons of failures come from whoever wrote the spec. A spreadsheet runs a cell that
begins with one of a few characters (https://owasp.org/www-community/attacks/CSV_Injection), also behind blanks, which
some drop; behind an apostrophe it is plain text.
"""

from __future__ import annotations

import csv
import re
from typing import Any

_STARTS = "=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20"  # the last four: full-width = + - @
# Also what begins with apostrophes before such a character, so that the way back is certain.
_TO_ESCAPE = re.compile(rf"['\s]*[{_STARTS}]")
_ESCAPED = re.compile(rf"'['\s]*[{_STARTS}]")
# Python quotes only the line breaks that it writes itself: a carriage return alone would begin a new row, whose first
# cell nobody looked at.
_RETURN = "\r"


def as_cell(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if _TO_ESCAPE.match(text) else text


def from_cell(cell: str) -> str:
    """The text that :func:`as_cell` made `cell` of."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def csv_of(frame: Any) -> str:
    """The data frame of pandas as CSV with a header and without an index, whatever line breaks its texts have."""
    text = str(frame.to_csv(index=False))
    # Python quotes only the line break that it ends rows with: a carriage return in a text would begin a row, whose
    # first cell nobody has looked at.
    return text if "\r" not in text else str(frame.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC))
