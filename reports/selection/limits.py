"""Limits for the choice of a model: a name and a quantity, as in ``memory=100kB``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tunefront.mistakes import TunefrontError, nearest
from tunefront.objectives.limits import read_limits
from tunefront.objectives.measures import AXES, MEASURES, Measure, axis_name
from tunefront.objectives.quantities import format_quantity, parse_quantity
from tunefront.printable import shown
from tunefront.reports.selection.options import Option, Options
from tunefront.reports.selection.quantities import LIMITED
from tunefront.reports.study_results import StudyResults

_UNITS_TO_WRITE = {"bytes": "100kB", "seconds": "5ms"}


class LimitError(TunefrontError):
    """A limit that cannot be read; the message names the remedy."""


@dataclass(frozen=True)
class Limit:
    """A limit that a chosen model must keep.

    Attributes:
        written: The name that the user wrote: an axis or a measure.
        value: In the measure's unit.
        is_upper: Whether values must be at most `value`; else at least.
        part: The part of a device that it is the size of: ``"RAM of stm32_blue_pill"``; empty for what a user wrote.
    """

    written: str
    measure: Measure
    value: float
    is_upper: bool
    part: str = ""

    def is_kept_by(self, option: Option) -> bool:
        """Return whether a model keeps it; one that was not measured does not."""
        found = option.value(self.measure.name)
        return found <= self.value if self.is_upper else found >= self.value

    def describe(self) -> str:
        """Return it as text for people: ``"memory at most 100 kB"``."""
        whose = f" ({self.part})" if self.part else ""
        return f"{self.written} at {'most' if self.is_upper else 'least'} {self.show(self.value)}{whose}"

    def show(self, value: float) -> str:
        """Return a value of its measure as text for people."""
        return format_quantity(value, self.measure.unit)


def read_limit(text: str, results: StudyResults | Options, *, is_upper: bool) -> Limit:
    """Read a limit such as ``memory=100kB``.

    Args:
        results: What tells the measure of an axis: the study, or the models that are to be chosen from.

    Raises:
        LimitError: If the name is no axis or measure of a model, or the quantity lacks its unit or keeps out the best.
    """
    option = "--at-most" if is_upper else "--at-least"
    name, equals, quantity = (part.strip() for part in text.partition("="))
    if not equals or not name or not quantity:
        raise LimitError(f"{option} {shown(text)}: write a name and a quantity, such as {option} memory=100kB")
    measure = _measure(name, results, option)
    if measure.unit in _UNITS_TO_WRITE and not quantity[-1].isalpha():
        raise LimitError(f"{option} {text}: it has no unit: write {name}={_UNITS_TO_WRITE[measure.unit]}, for example")
    return limit_of(name, quantity, results, is_upper=is_upper)


def limit_of(name: str, quantity: str | float, results: StudyResults | Options, *, is_upper: bool) -> Limit:
    """Return a limit of a name and a quantity: a text with a unit, or a number in the measure's unit.

    Raises:
        LimitError: As :func:`read_limit`.
    """
    option = "--at-most" if is_upper else "--at-least"
    measure = _measure(name, results, option)
    try:
        value = parse_quantity(quantity, measure.unit)
    except ValueError as error:
        raise LimitError(f"{option} {name}: {error}") from None
    if value > 1 and (measure.unit == "fraction" or measure.name == "r2"):
        remedy = f": write {name}={quantity}%" if measure.unit == "fraction" and value <= 100 else ""
        raise LimitError(f"{option} {name}={quantity}: {measure.name} is at most 1{remedy}")
    if is_upper == (measure.direction == "maximize"):
        other = "--at-least" if is_upper else "--at-most"
        better = "more" if measure.direction == "maximize" else "less"
        raise LimitError(
            f"{option} {name}={quantity}: {better} {name} is better, and this keeps out the best: "
            f"write {other} {name}={quantity}"
        )
    return Limit(name, measure, value, is_upper)


def study_limits(results: StudyResults) -> list[Limit]:
    """Return the limits of the study's spec: of its objectives by the name of their axis, of others by their own."""
    found = []
    axes = {results.measure(axis).name: axis_name(axis, results.measure(axis)) for axis in results.objectives}
    for each in read_limits(results.study.spec):
        name = axes.get(each.measure.name, each.measure.name)
        found += [Limit(name, each.measure, each.at_least, False)] if each.at_least is not None else []
        found += [Limit(name, each.measure, each.at_most, True)] if each.at_most is not None else []
    return found


def nearest_to(limits: Sequence[Limit], options: Sequence[Option]) -> Option | None:
    """Return the model whose worst violation of a limit is least, as a share of the limit; None without models."""

    def excess(option: Option) -> float:
        return max((_excess(limit, option) for limit in limits), default=0.0)

    return min(options, key=lambda option: (excess(option), option.number), default=None)


def _excess(limit: Limit, option: Option) -> float:
    value = option.value(limit.measure.name)
    if math.isnan(value):
        return math.inf
    distance = value - limit.value if limit.is_upper else limit.value - value
    return max(distance, 0.0) / (abs(limit.value) or 1.0)


def _measure(name: str, results: StudyResults | Options, option: str) -> Measure:
    axes = {
        ("quality" if results.measure(axis).task == "regression" and axis == "accuracy" else axis): axis
        for axis in AXES
    }
    if name in axes:
        return results.measure(axes[name])
    if name in LIMITED:
        return LIMITED[name]
    parts = [known for known in MEASURES if name and name in known]
    if parts:
        raise LimitError(f"{option}: {shown(name)} may be {', '.join(parts)}: write which")
    raise LimitError(f"{option}: there is no axis or measure {shown(name)}. {nearest(name, [*axes, *LIMITED])}")


def describe_what_to_loosen(members: Sequence[Option], limits: Sequence[Limit]) -> str:
    """Say for each limit what it must be so that a model keeps it and all the others, in a sentence as on the page.

    Args:
        members: All models that can be chosen, of which none keeps all limits.
    """
    parts = []
    for limit in limits:
        others = [each for each in limits if each is not limit]
        values = [
            option.value(limit.measure.name) for option in members if all(each.is_kept_by(option) for each in others)
        ]
        values = [value for value in values if not math.isnan(value)]
        if values:
            nearest_value = min(values) if limit.is_upper else max(values)
            word = "most" if limit.is_upper else "least"
            what = f"the {limit.part}" if limit.part else limit.written.replace("_", " ")
            parts.append(f"{what} to at {word} {limit.show(nearest_value)} (now {limit.show(limit.value)})")
    return f"Loosen {', or '.join(parts) or 'more than one of them'}."
