"""Texts of a study as cells of a CSV file: a spreadsheet must take none of them for a formula.

Names of parameters, choices and reasons of failures come from whoever wrote the spec. A spreadsheet runs a cell that
begins with one of a few characters (https://owasp.org/www-community/attacks/CSV_Injection); behind an apostrophe it is
plain text.
"""

from __future__ import annotations

import re

_STARTS = "=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20"  # the last four: full-width = + - @
# Also what begins with apostrophes before such a character, so that the way back is certain.
_TO_ESCAPE = re.compile(f"'*[{_STARTS}]")
_ESCAPED = re.compile(f"'+[{_STARTS}]")


def as_cell(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if _TO_ESCAPE.match(text) else text


def from_cell(cell: str) -> str:
    """The text that :func:`as_cell` made `cell` of."""
    return cell[1:] if _ESCAPED.match(cell) else cell
