"""The [objectives] of a spec: measures, and the limits a model must keep to be on the front."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationInfo, field_validator, model_validator

from tunefront.mistakes import nearest
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import DEFAULT_MEASURES, MEASURES, Axis, axis_name
from tunefront.objectives.quantities import parse_quantity
from tunefront.objectives.tolerance import is_usable
from tunefront.printable import shown
from tunefront.search.spec.table import Table, is_from_file
from tunefront.spaces.settings import SpaceError


class ObjectiveTable(Table):
    """The table of one axis: its measure, the limits that a model must keep, and the difference that does not count."""

    measure: str
    at_least: Any = None  # a number, or a text with a unit that objective() reads, where the measure's unit is known
    at_most: Any = None
    tolerance: Any = None  # likewise, a share or points

    def objective(self, axis: Axis) -> Objective:
        """Return the objective with its limits as numbers in the measure's unit.

        Raises:
            SpaceError: If a limit is no quantity with that unit, or the tolerance is none.
        """
        limits = {"at_least": self.at_least, "at_most": self.at_most}
        measure = MEASURES[self.measure]
        for name, limit in limits.items():
            try:
                limits[name] = None if limit is None else parse_quantity(limit, measure.unit)
            except ValueError as error:
                raise SpaceError(f"objectives.{axis}.{name}", str(error)) from None
        return Objective(measure, limits["at_least"], limits["at_most"], _tolerance(axis, self.tolerance))


class ObjectivesTable(Table):
    """The axes that are objectives; an axis that is left out has its default measure.

    The first one is called ``quality`` in a file that predicts numbers.

    ``false`` drops an axis, which is None here. It is still measured and reported.
    """

    accuracy: ObjectiveTable | None = ObjectiveTable(measure=DEFAULT_MEASURES["accuracy"])
    memory: ObjectiveTable | None = ObjectiveTable(measure=DEFAULT_MEASURES["memory"])
    time: ObjectiveTable | None = ObjectiveTable(measure=DEFAULT_MEASURES["time"])

    @field_validator("accuracy", "memory", "time", mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        if value is False:
            return None
        return {"measure": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> ObjectivesTable:
        if not self.present():
            raise ValueError("accuracy, memory and time are all false: leave out the line of one that is to count")
        for axis, table in self.present().items():
            _check_measure(axis, table.measure)
            _check_limits(axis, table.objective(axis), is_from_file(info))
        return self

    def present(self) -> dict[Axis, ObjectiveTable]:
        """Return the axes that are objectives, in the order of AXES."""
        tables: dict[Axis, ObjectiveTable | None] = {
            "accuracy": self.accuracy,
            "memory": self.memory,
            "time": self.time,
        }
        return {axis: table for axis, table in tables.items() if table is not None}


def _tolerance(axis: Axis, value: Any) -> float | None:
    if value is None:
        return None
    key = f"objectives.{axis}.tolerance"
    try:
        tolerance = parse_quantity(value, "fraction")
    except ValueError as error:
        raise SpaceError(key, str(error)) from None
    if not is_usable(tolerance):
        raise SpaceError(
            key,
            f"{shown(value)} is no difference that does not count: write one from 0, which switches it off, to below "
            '1, such as "0.5 %"',
        )
    return tolerance


def _check_measure(axis: Axis, name: str) -> None:
    fitting = [measure.name for measure in MEASURES.values() if measure.axis == axis]
    if name in MEASURES and name not in fitting:
        raise SpaceError(
            f"objectives.{axis}", f"{shown(name)} measures {MEASURES[name].axis}. Known here: {', '.join(fitting)}"
        )
    if name in MEASURES and MEASURES[name].unit == "count":
        raise SpaceError(
            f"objectives.{axis}", f'{shown(name)} is a count, and this axis has seconds: write [limits] {name} = "10 M"'
        )
    if name not in fitting:
        raise SpaceError(f"objectives.{axis}", f"there is no measure {shown(name)}. {nearest(name, fitting)}")


def _check_limits(axis: Axis, objective: Objective, is_file: bool) -> None:
    """Refuse limits that no model can keep, and in a file also those that exclude better models."""
    low, high = objective.at_least, objective.at_most
    key = f"objectives.{axis}"
    largest = 1.0 if objective.measure.unit == "fraction" or objective.measure.name == "r2" else float("inf")
    is_maximized = objective.measure.direction == "maximize"
    wrong, right = ("at_most", "at_least") if is_maximized else ("at_least", "at_most")
    if is_file and (high if is_maximized else low) is not None:
        better = "more" if is_maximized else "less"
        scored = objective.measure.name if axis_name(axis, objective.measure) == "quality" else axis
        raise SpaceError(
            f"{key}.{wrong}",
            f"{better} {scored} is better, and this limit keeps out the best: write {right}, what a model must reach "
            "at the worst, or leave it out",
        )
    if high is not None and high <= 0:
        raise SpaceError(f"{key}.at_most", f"{high:g} excludes everything: give a limit above 0")
    if low is not None and low > largest:
        raise SpaceError(f"{key}.at_least", f"{low:g} excludes everything: {objective.measure.name} is at most 1")
