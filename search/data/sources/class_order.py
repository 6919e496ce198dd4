"""The order of class names that are read from a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

_MAX_DIGITS = 1000  # a longer label is a text, not the number of a class
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?")


def in_order(labels: Sequence[str]) -> list[str]:
    """Return the distinct labels in an order that does not depend on the file: numbers by value, so 10.0 after 9.5."""
    names = sorted(set(labels))
    are_numbers = all(len(name) <= _MAX_DIGITS and _NUMBER.fullmatch(name) for name in names)
    return sorted(names, key=Decimal) if are_numbers else names
