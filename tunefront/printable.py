"""Text that is safe to print: no control characters that a terminal obeys, no value of endless length.

The ground floor, like objectives: it imports nothing of ours.
"""

from __future__ import annotations

import re
from typing import Any

# What a terminal may obey: control characters but for line breaks and tabs, marks that turn the direction of the text
# around, line breaks by another name, and halves of a surrogate pair, which no encoding has.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_MAX_SHOWN = 120  # characters of a value in a message


def printable(text: str) -> str:
    """The same text with each unsafe character as an escape, such as ``\\x1b``; line breaks stay."""
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)


def on_one_line(text: str) -> str:
    """The same as :func:`printable`, with line breaks and tabs as escapes too."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def shown(value: Any) -> str:
    """A value for a message, as Python writes it; of a long one the beginning and the end."""
    return shortened(repr(value))


def shortened(text: str, at_most: int = _MAX_SHOWN) -> str:
    """The same text, or of a long one the beginning and the end."""
    n_end = at_most // 4
    return text if len(text) <= at_most else f"{text[: at_most - n_end - 5]} ... {text[-n_end:]}"
