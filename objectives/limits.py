"""Objectives: a measure to make better, and the limits that it keeps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tunefront.objectives.measures import AXES, MEASURES, Axis, Measure
from tunefront.objectives.quantities import format_quantity


@dataclass(frozen=True)
class Objective:
    """One measure to make better, with optional limits (inclusive) in the measure's own unit.

    Attributes:
        tolerance: The difference between two models that does not count; see :mod:`tunefront.objectives.tolerance`.
            None is the default of the measure's kind.
    """

    measure: Measure
    at_least: float | None = None
    at_most: float | None = None
    tolerance: float | None = None

    def violation(self, value: float) -> float:
        """Return how far `value` lies outside the limits, in the measure's unit; 0 or less is within."""
        return max(
            -math.inf if self.at_least is None else self.at_least - value,
            -math.inf if self.at_most is None else value - self.at_most,
        )

    def is_out_of_reach(self, best: float) -> bool:
        """Return whether a limit is broken even if `best` is the best value that can still be reached."""
        limit = self.best_limit
        if limit is None:
            return False
        return best < limit if self.measure.direction == "maximize" else best > limit

    def tightened(self, limit: float | None) -> Objective:
        """Return the objective with a further limit on its worse side, if that is tighter than its own."""
        if limit is None:
            return self
        if self.measure.direction == "maximize":
            return replace(self, at_least=limit if self.at_least is None else max(self.at_least, limit))
        return replace(self, at_most=limit if self.at_most is None else min(self.at_most, limit))

    @property
    def has_limit(self) -> bool:
        return self.at_least is not None or self.at_most is not None

    @property
    def best_limit(self) -> float | None:
        """The limit that even the best end of a training can break: see :meth:`is_out_of_reach`."""
        return self.at_least if self.measure.direction == "maximize" else self.at_most

    def describe_limits(self) -> str:
        """Return the limits as text for people, such as ``"at least 50.00 %"``; empty if there is none."""
        limits = (("at least", self.at_least), ("at most", self.at_most))
        return ", ".join(
            f"{word} {format_quantity(limit, self.measure.unit)}" for word, limit in limits if limit is not None
        )

    def describe_violation(self, value: float) -> str:
        """Say which limit `value` breaks, for people."""
        shown = format_quantity(value, self.measure.unit)
        if self.at_most is not None and value > self.at_most:
            limit = f"at most {format_quantity(self.at_most, self.measure.unit)}"
        else:
            limit = f"at least {format_quantity(self.at_least or 0.0, self.measure.unit)}"
        return f"{self.measure.name} {shown} breaks its limit of {limit}"


def read_objectives(spec: Mapping[str, Any]) -> dict[Axis, Objective]:
    """Return the objectives of a stored spec in the order of :data:`AXES`, which is that of a trial's values."""
    tables = {axis: spec["objectives"].get(axis) for axis in AXES}
    more = _further_limits(spec)
    return {
        axis: Objective(
            MEASURES[table["measure"]], table.get("at_least"), table.get("at_most"), table.get("tolerance")
        ).tightened(more.get(table["measure"]))
        for axis, table in tables.items()
        if table is not None
    }


def read_extra_limits(spec: Mapping[str, Any]) -> list[Objective]:
    """Return the limits of a stored spec on measures that are no objectives, in the order of :data:`MEASURES`."""
    objectives = {table["measure"] for table in spec["objectives"].values() if table is not None}
    more = _further_limits(spec)
    return [Objective(MEASURES[name]).tightened(more[name]) for name in MEASURES if name in more.keys() - objectives]


def read_limits(spec: Mapping[str, Any]) -> list[Objective]:
    """Return everything that a stored spec may limit: its objectives, then the limits on other measures."""
    return [*read_objectives(spec).values(), *read_extra_limits(spec)]


def _further_limits(spec: Mapping[str, Any]) -> dict[str, float]:
    """Return the limits of [limits] and of a device, by measure; of two on one measure the tighter one."""
    limits = dict(spec.get("limits") or {})
    device = (spec.get("deploy") or {}).get("device")
    if device is not None:
        for name, room in (("litert_bytes", device["flash"]), ("arena_bytes", device["ram"])):
            limits[name] = min(limits.get(name, math.inf), room)
    return limits


def violations(objectives: Iterable[Objective], measurements: Mapping[str, float]) -> dict[str, float]:
    """Return how far each limit is broken, by measure, for what was measured; 0 or less is within."""
    return {
        objective.measure.name: objective.violation(measurements[objective.measure.name])
        for objective in objectives
        if objective.has_limit and objective.measure.name in measurements
    }


def broken_limit(objectives: Iterable[Objective], measurements: Mapping[str, float]) -> str:
    """Describe the first limit that the measurements break, for people; empty if they break none."""
    measured = ((each, measurements.get(each.measure.name)) for each in objectives)
    broken = (
        each.describe_violation(value) for each, value in measured if value is not None and each.violation(value) > 0
    )
    return next(broken, "")
