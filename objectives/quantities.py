"""Numbers with units, read and written for people: bytes, seconds, fractions, counts, and the unit of the labels."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from tunefront.printable import shown

Unit = Literal["fraction", "bytes", "seconds", "number", "count"]


_SCALES: Mapping[Unit, Mapping[str, float]] = {
    "fraction": {"": 1.0, "%": 0.01},
    "bytes": {
        "": 1.0, "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
        "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30, "tib": 2.0**40,
    },
    "seconds": {
        "": 1.0, "s": 1.0, "sec": 1.0, "us": 1e-6, "ms": 1e-3, "min": 60.0, "h": 3600.0,
    },
    "number": {"": 1.0},
    "count": {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9},
}  # fmt: skip
_QUANTITY = re.compile(r"\s*([-+]?[0-9]*\.?[0-9]+(?:e[-+]?[0-9]+)?)\s*([a-zµ%]*)\s*", re.IGNORECASE)


def parse_quantity(value: float | int | str, unit: Unit) -> float:
    """Read ``"50 MB"``, ``"5 ms"``, ``"80 %"`` or a plain number as a number of `unit`.

    Raises:
        ValueError: If the text is no number with a unit of that kind; it lists the units.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{shown(value)} is not a number or a text such as {_example(unit)!r}")
    text = str(value)
    match = _QUANTITY.fullmatch(text)
    suffix = match.group(2).lower().replace("µ", "u") if match else ""
    if match is None or suffix not in _SCALES[unit]:
        known = ", ".join(_UNIT_NAMES[unit])
        raise ValueError(f"{shown(text)} is not a {_KINDS[unit]}; write it like {_example(unit)!r} (units: {known})")
    if not math.isfinite(float(match.group(1))):
        raise ValueError(f"{shown(text)} is too large for a number")
    # In decimals, because 94 * 0.01 is more than 0.94, and a limit of 94 % would exclude a score of exactly that.
    quantity = float(Decimal(match.group(1)) * Decimal(str(_SCALES[unit][suffix])))
    if not math.isfinite(quantity):
        raise ValueError(f"{shown(text)} is too large for a number")
    return quantity


_KINDS: Mapping[Unit, str] = {
    "fraction": "share",
    "bytes": "size",
    "seconds": "time",
    "number": "number",
    "count": "count",
}
_UNIT_NAMES: Mapping[Unit, tuple[str, ...]] = {
    "fraction": ("none", "%"),
    "bytes": ("B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"),
    "seconds": ("us", "ms", "s", "min", "h"),
    "number": ("none",),
    "count": ("none", "k", "M", "G"),
}


def _example(unit: Unit) -> str:
    return {"fraction": "0.8", "bytes": "50 MB", "seconds": "5 ms", "number": "0.25", "count": "10 M"}[unit]


def significant(value: float, n: int, sign: str = "") -> str:
    """Return a number with `n` significant digits, without an exponent unless it is huge: ``"1200"``, ``"+0.5"``.

    Args:
        sign: ``"+"`` gives positive numbers their sign.
    """
    rounded = float(f"{value:.{n}g}")
    return f"{rounded:{sign}.0f}" if 10**n <= abs(rounded) < 1e9 else f"{value:{sign}.{n}g}"


def format_quantity(value: float, unit: Unit) -> str:
    """Return a number of `unit` as text for people, with about three digits: ``"97.2 %"``, ``"1.31 MB"``."""
    if math.isnan(value):
        return "-"
    if unit == "fraction":
        return f"{100 * value:.2f} %"
    if unit == "number":
        return f"{value:.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"  # 41234 and not 4.123e+04
    steps: Sequence[tuple[float, str]]
    if unit == "bytes":
        steps = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
    elif unit == "count":
        steps = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
    elif abs(value) >= 120:
        steps = ((3600.0, "h"), (60.0, "min")) if abs(value) >= 7200 else ((60.0, "min"),)
    else:
        steps = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
    # The scale is chosen by the rounded value, so that 999.9 kB is printed as 1 MB and not as 1e+03 kB.
    size = abs(float(f"{value:.3g}"))
    scale, name = next((step for step in steps if size >= step[0]), steps[-1])
    number = f"{value / scale:.3g}" if abs(value / scale) < 999.5 else f"{value / scale:.0f}"
    return f"{number} {name}".rstrip()
