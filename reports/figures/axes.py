"""Axes in units that people use: their scales, their ranges, and round ticks with room between their labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import Measure
from tunefront.objectives.quantities import Unit, format_quantity

_MARGIN = 0.09  # of the range on either side of the data, with room for a label beyond the last point
_LEAST_GAP = 0.17  # of the range between two ticks: on a phone a label takes less
# Sets of ticks within a decade of a log scale, the densest first.
_MANTISSAS = (
    *(tuple(1 + step * number for number in range(round(9 / step))) for step in (0.1, 0.2, 0.5)),
    *((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1, 3), (1,)),
)


def has_log_scale(measure: Measure, values: Sequence[float]) -> bool:
    """Return whether an axis for these values has a log scale; NaNs are left out.

    Costs have one, because 1 MB against 2 MB matters as much as 100 MB against 200 MB. If a value is 0, which a log
    scale cannot show, the scale is linear.

    Errors have a log scale, too, where they differ by a factor of three or more. Below, a linear scale looks alike and
    has more round ticks. R2 may be negative, so its scale is linear.
    """
    known = [value for value in values if not math.isnan(value)]
    if measure.unit == "fraction" or min(known, default=0.0) <= 0:
        return False
    return measure.unit != "number" or (measure.direction == "minimize" and max(known) >= 3 * min(known))


def measure_axis(
    measure: Measure, title: str, values: Sequence[float], objective: Objective | None = None
) -> dict[str, Any]:
    """Return a plotly axis for `values` of `measure`; NaNs are left out.

    Args:
        objective: Where it has limits that some values break and others keep, the axis ends there.
    """
    known = [value for value in values if not math.isnan(value)]
    axis: dict[str, Any] = {"title": {"text": title}, "nticks": 6}
    if not known:
        return axis
    low, high = _ends(known, objective)
    if measure.unit == "fraction":
        margin = _MARGIN * max(high - low, 0.02)
        return axis | {"tickformat": "~%", "range": [max(low - margin, -margin), min(high + margin, 1 + margin)]}
    if measure.unit == "number":
        axis["tickformat"] = ".4~r"
    else:  # the format while a reader has zoomed in so far that the ticks given below are too far apart
        axis |= {"tickformat": "~s", "ticksuffix": {"bytes": "B", "seconds": "s"}.get(measure.unit, "")}
    if not has_log_scale(measure, known):
        margin = _MARGIN * (high - low or abs(high) or 1.0)
        return axis | {"range": [low - margin, high + margin]}
    margin = _MARGIN * (math.log10(high / low) or 3.0)
    ends = [math.log10(low) - margin, math.log10(high) + margin]
    ticks = log_ticks(10 ** ends[0], 10 ** ends[1], measure.unit)
    labels = [format_quantity(tick, measure.unit) for tick in ticks]
    return axis | {"type": "log", "range": ends, "tickmode": "array", "tickvals": ticks, "ticktext": labels}


def _ends(known: Sequence[float], objective: Objective | None) -> tuple[float, float]:
    """Return the least and the greatest value to show: of those within the limits, and a limit that others break."""
    limits = [limit for limit in (objective.at_least, objective.at_most) if limit is not None] if objective else []
    kept = [value for value in known if objective is None or objective.violation(value) <= 0]
    if not kept:
        return min(*known, *limits), max(*known, *limits)
    broken = [limit for limit in limits if any(_is_beyond(value, limit, kept[0]) for value in known)]
    return min(*kept, *broken, kept[0]), max(*kept, *broken, kept[0])


def _is_beyond(value: float, limit: float, kept: float) -> bool:
    """Return whether a limit lies between a value and one that keeps it."""
    return value < limit <= kept or kept <= limit < value


def log_ticks(low: float, high: float, unit: Unit) -> list[float]:
    """Return round values from a tenth of `low` to ten times `high`, as many as have room for labels between the two.

    Those beyond are for readers who zoom out. If the two are equal, the axis is taken to show a decade on either side.
    """
    low, high = (low, high) if low < high else (low / 10, high * 10)
    least_gap = _LEAST_GAP * math.log10(high / low)
    ticks: list[float] = []
    for mantissas in _MANTISSAS:
        sparser = list(_round_values(low / 10, high * 10, mantissas, unit))
        shown = [math.log10(tick) for tick in sparser if low <= tick <= high]
        if len(shown) < 2 and ticks:
            break
        ticks = sparser
        if all(right - left >= least_gap for left, right in pairwise(shown)):
            break
    inside = _with_room([tick for tick in ticks if low <= tick <= high], least_gap)
    below = _with_room([*inside[:1], *(tick for tick in reversed(ticks) if tick < low)], least_gap)
    above = _with_room([*inside[-1:], *(tick for tick in ticks if tick > high)], least_gap)
    return sorted({*below, *inside, *above})


def _with_room(ticks: Sequence[float], least_gap: float) -> list[float]:
    """Leave out what is too close to the tick before it."""
    kept: list[float] = []
    for tick in ticks:
        if not kept or abs(math.log10(tick / kept[-1])) >= least_gap * (1 - 1e-9):
            kept.append(tick)
    return kept


def _round_values(low: float, high: float, mantissas: Sequence[float], unit: Unit) -> Iterator[float]:
    """Yield the round values of each decade; seconds continue as minutes from 60 and as hours from 3600 on."""
    bases = [(1.0, 60.0), (60.0, 3600.0), (3600.0, math.inf)] if unit == "seconds" else [(1.0, math.inf)]
    for base, end in bases:
        first = math.floor(math.log10(low)) if base == 1.0 else 0
        for exponent in range(first, math.ceil(math.log10(high)) + 1):
            for mantissa in mantissas:
                value = float(f"{mantissa * base * 10.0**exponent:.6g}")
                if low <= value <= high and value < end:
                    yield value
