"""Texts without the places that they name: where a person's files lie is nobody's business who reads a report."""

from __future__ import annotations

import re

# An absolute path of two parts or more, on POSIX, Windows or another machine. A URL's slashes follow a colon.
_ABSOLUTE = re.compile(
    r"(?<![\w.:/\\])(?:[A-Za-z]:[\\/]|[\\/]{2}|/)(?:[^\s/\\'\"<>|:;,()]+[\\/]+)+([^\s/\\'\"<>|:;,()]*)"
)
_HOME = re.compile(r"(?<![\w/])~[\w.-]*/(?:[^\s/'\"]+/)*([^\s/'\"]*)")


def without_places(text: str) -> str:
    """Return a text with absolute paths shortened to their last part: ``"…/trial.py"``."""
    for pattern in (_ABSOLUTE, _HOME):
        text = pattern.sub(lambda match: f"\N{HORIZONTAL ELLIPSIS}/{match.group(1)}", text)
    return text
