"""Text that is safe to print: without control characters that a terminal obeys, and of limited length.

This module belongs to the ground floor, like `objectives`: it imports nothing of ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

# Characters that a terminal may obey: control characters except line breaks and tabs, marks that change the direction
# of text, Unicode's other line breaks, and halves of a surrogate pair, which cannot be encoded.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_MAX_SHOWN = 120  # characters of a value in a message


def printable(text: str) -> str:
    """Return the text with each unsafe character as an escape, such as ``\\x1b``; line breaks stay."""
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)


def on_one_line(text: str) -> str:
    """Return the text as :func:`printable` does, with line breaks and tabs as escapes too."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def shown(value: Any) -> str:
    """Return a value for a message as Python writes it, shortened to its beginning and end if it is long."""
    return shortened(repr(value))


def shortened(text: str, at_most: int = _MAX_SHOWN) -> str:
    """Return the text, shortened to its beginning and end if it is long."""
    n_end = at_most // 4
    return text if len(text) <= at_most else f"{text[: at_most - n_end - 5]} ... {text[-n_end:]}"


def in_lines(items: Sequence[str], width: int) -> list[str]:
    """Return items with commas between, in lines of at most `width` characters that break only between items.

    An item that is longer than a line has one of its own.
    """
    lines: list[str] = []
    for number, item in enumerate(items):
        text = item if number == len(items) - 1 else f"{item},"
        if lines and len(lines[-1]) + 1 + len(text) <= width:
            lines[-1] += f" {text}"
        else:
            lines.append(text)
    return lines
