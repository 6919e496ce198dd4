"""Labels that are numbers to predict, checked one by one, as float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.printable import shown
from tunefront.search.data.examples import DataError, some_of

_MOST_ROUNDING = 0.01  # of the standard deviation of all labels


def checked_numbers(labels: NDArray[Any], where: str) -> NDArray[np.float32]:
    """Return the labels of an array as numbers to predict, shape (n,).

    Args:
        where: The beginning of messages; a label is named by its row.

    Raises:
        DataError: If one is no finite number, or float32 cannot tell them apart.
    """
    if labels.dtype.kind == "b":
        raise DataError(
            f'{where}: its labels are true or false, which are classes: write task = "classification" in [data], or '
            "give numbers"
        )
    return as_numbers(labels.tolist(), [f"label {row}" for row in range(len(labels))], where)


def as_numbers(labels: Sequence[Any], places: Sequence[str], where: str) -> NDArray[np.float32]:
    """Return numbers, or texts that are numbers, as float32, shape (n,).

    Args:
        places: The name of each label in messages, such as ``line 17``.

    Raises:
        DataError: Names the labels that are no finite numbers; or if float32 cannot tell them apart.
    """
    numbers = np.array([_number(label) for label in labels], dtype=np.float64)
    with np.errstate(over="ignore"):
        rounded = numbers.astype(np.float32)
    odd = np.flatnonzero(~np.isfinite(rounded)).tolist()
    if odd:
        lines = [f"{places[row]}: {shown(labels[row])}" for row in odd]
        commas = any(isinstance(labels[row], str) and labels[row].count(",") == 1 for row in odd)
        hint = "; a decimal point is a point here, no comma" if commas else ""
        raise DataError(
            f'{where}: {len(odd)} labels are no finite numbers, and task = "regression" predicts numbers: correct '
            f'them, leave these examples out, or write task = "classification" in [data]{hint}:\n{some_of(lines)}'
        )
    deviation = float(numbers.std()) if len(numbers) else 0.0
    largest = float(np.abs(rounded - numbers).max(initial=0.0))
    if largest > _MOST_ROUNDING * deviation > 0:
        raise DataError(
            f"{where}: its labels differ by {deviation:.3g} (standard deviation) around {numbers.mean():.6g}, too "
            "little for float32, which has seven digits: subtract a constant from all of them"
        )
    return rounded


def _number(label: Any) -> float:
    """Return a label as a number; NaN for what is none, also for true and false."""
    if isinstance(label, bool | complex):
        return float("nan")
    try:
        return float(label)
    except (TypeError, ValueError, OverflowError):
        return float("nan")
