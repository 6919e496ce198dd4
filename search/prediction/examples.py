"""Examples to be answered, one at a time: their values, or why there are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class UnseenExample:
    """An example whose class or number is not known.

    Attributes:
        name: Its name in tables: a path, a line of a file, an address without user and password.
        values: Values of the shape that the model takes, or a mapping of raw columns; None if there are none.
        problem: Why there are no values, in words that follow the name; else empty.
    """

    name: str
    values: Any = None
    problem: str = ""


class ExampleSource(Protocol):
    """Something with examples in it, which are read anew at each call."""

    @property
    def name(self) -> str:
        """Its name in tables."""

    def examples(self) -> Iterator[UnseenExample]:
        """Yield the examples; one that cannot be used has a problem in place of values."""
