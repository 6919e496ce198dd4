"""The cells of a column of a table: missing ones, numbers and texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# What pandas reads as missing, so that a model gets the same from there; and "?", as in the files of UCI.
MISSING = frozenset(
    ("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
     "NULL", "NaN", "None", "n/a", "nan", "null", "?")
)  # fmt: skip
_LARGEST = float(np.finfo(np.float32).max)


def number_of(cell: str) -> float | None:
    """Return the number that a cell holds; None if it is none that float32 can hold, such as a text or an infinity."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) <= _LARGEST and "_" not in cell else None


@dataclass(frozen=True)
class Cells:
    """The cells of one column."""

    name: str
    texts: Sequence[str]

    @cached_property
    def is_missing(self) -> NDArray[np.bool_]:
        """Whether each cell has no value, shape (n,)."""
        return np.array([text in MISSING for text in self.texts])

    @cached_property
    def n_missing(self) -> int:
        return int(self.is_missing.sum())

    @cached_property
    def known(self) -> list[str]:
        """The texts of the cells that have a value."""
        return [text for text, missing in zip(self.texts, self.is_missing, strict=True) if not missing]

    @cached_property
    def others(self) -> list[int]:
        """The places of cells that have a value, but no number."""
        pairs = enumerate(zip(self.texts, self.is_missing, strict=True))
        return [place for place, (text, missing) in pairs if not missing and number_of(text) is None]

    def numbers(self) -> NDArray[np.float32]:
        """Return the numbers, shape (n,); NaN where there is none."""
        found = [number_of(text) if text not in MISSING else None for text in self.texts]
        return np.array([math.nan if number is None else number for number in found], dtype=np.float32)

    def counts_rows(self) -> bool:
        """Return whether the cells are whole numbers that each go one further, as an index does."""
        if self.n_missing or self.others or len(self.texts) < 3:
            return False
        numbers = np.array([float(text) for text in self.texts])
        return bool((np.diff(numbers) == 1).all() and float(numbers[0]).is_integer())
