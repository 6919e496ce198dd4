"""The order of names in which numbers count as numbers: img2 before img10."""

from __future__ import annotations

import os
import re
from typing import Any

_NUMBER = re.compile(r"(\d+)")


def natural_key(path: str) -> tuple[Any, ...]:
    """Return the key by which paths are sorted: folder by folder, numbers by their value, letters in any case."""
    return (*(_part_key(part) for part in path.split(os.sep)), path)


def _part_key(part: str) -> tuple[tuple[int, int, str], ...]:
    # A split at a group gives texts at even places and numbers at odd ones, so that equal places have one type.
    pieces = enumerate(_NUMBER.split(part.casefold()))
    return tuple((0, int(piece), "") if place % 2 else (1, 0, piece) for place, piece in pieces)
