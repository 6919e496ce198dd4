"""The ranges by which a reader narrows the choice: one for each objective and each limit of the study."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunefront.objectives.limits import Objective, read_extra_limits
from tunefront.objectives.measures import Measure, axis_name
from tunefront.objectives.quantities import format_quantity, parse_quantity
from tunefront.reports.selection.options import Option, Options

_MOST_STOPS = 120
ANY = "any"


@dataclass(frozen=True)
class Stop:
    """A limit that a range can be set to.

    Attributes:
        value: In the measure's unit; None is no limit.
        text: The limit as it may be written in a command, with spaces: ``"83.9 kB"``.
    """

    value: float | None
    text: str


@dataclass(frozen=True)
class LimitRange:
    """A limit on one measure, from the tightest that something keeps to none.

    Attributes:
        name: The name of the axis or measure, as ``tunefront select`` takes it.
        is_upper: Whether values must be at most the limit; else at least.
        stops: The limits in the order of their values; at each of them another model comes in.
        start: The position of the study's own limit.
    """

    name: str
    measure: Measure
    is_upper: bool
    stops: Sequence[Stop]
    start: int


def limit_ranges(options: Options) -> list[LimitRange]:
    """Return a range for each axis of the study, and for each other measure that it limits; none without values."""
    results = options.results
    objectives = [results.objectives.get(axis) or Objective(results.measure(axis)) for axis in options.axes]
    names = [axis_name(axis, results.measure(axis)) for axis in options.axes]
    extra = read_extra_limits(results.study.spec)
    candidates = [*options.members, *options.outside]
    found = []
    for name, objective in zip([*names, *(each.measure.name for each in extra)], [*objectives, *extra], strict=True):
        made = _range(name, objective, candidates)
        if len(made.stops) > 1:
            found.append(made)
    return found


def _range(name: str, objective: Objective, candidates: Sequence[Option]) -> LimitRange:
    measure = objective.measure
    is_upper = measure.direction == "minimize"
    values = [option.value(measure.name) for option in candidates]
    limit = objective.best_limit
    by_value: dict[float, Stop] = {}
    for value in _spaced(sorted({value for value in values if not math.isnan(value)})):
        stop = written_limit(value, measure, is_upper=is_upper)
        if stop.value is not None:
            by_value[stop.value] = stop
    if limit is not None:
        by_value[limit] = Stop(limit, _exact(limit, measure))
    stops = [by_value[value] for value in sorted(by_value)]
    stops = [*stops, Stop(None, ANY)] if is_upper else [Stop(None, ANY), *stops]
    start = next(position for position, stop in enumerate(stops) if stop.value == limit)
    return LimitRange(name, measure, is_upper, stops, start)


def written_limit(value: float, measure: Measure, *, is_upper: bool) -> Stop:
    """Return the tightest limit that `value` keeps and that is written in about three digits."""
    step = 5e-4 if is_upper else -5e-4
    moved = value
    for _ in range(20):
        text = format_quantity(moved, measure.unit)
        written = parse_quantity(text, measure.unit)
        if (written >= value) if is_upper else (written <= value):
            return Stop(written, text)
        moved += step * (abs(value) or 1.0)
    return Stop(value, _exact(value, measure))


def _exact(value: float, measure: Measure) -> str:
    """Return a value as text that is read as the same value."""
    text = format_quantity(value, measure.unit)
    if parse_quantity(text, measure.unit) == value:
        return text
    units = {"bytes": " B", "seconds": " s"}
    return f"{value!r}{units.get(measure.unit, '')}"


def _spaced(values: Sequence[float]) -> Iterator[float]:
    """Yield all values, or of very many the first, the last, and some evenly between them."""
    n_stops = min(len(values), _MOST_STOPS)
    positions = {round(number * (len(values) - 1) / max(n_stops - 1, 1)) for number in range(n_stops)}
    return (values[position] for position in sorted(positions))
