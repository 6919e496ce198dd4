"""A column of a table: numbers, or categories with their codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "category"]


@dataclass(frozen=True)
class Column:
    """A column that a network gets.

    A number is stored as it is, and NaN where it is missing. A category is stored as its code: 1 for the first of
    `vocabulary`, 2 for the second and so on, and 0 where it is missing or not in the vocabulary.

    Attributes:
        vocabulary: The categories that occur in training; empty for numbers.
        n_missing: The number of examples without a value, of all splits.
    """

    name: str
    kind: Kind
    vocabulary: tuple[str, ...] = ()
    n_missing: int = 0
