"""A table as papers print it: one parameter down, another across, and in each cell the best trial's numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tunefront.mistakes import TunefrontError, nearest
from tunefront.objectives.measures import AXES, MEASURES, Measure
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.parameters import Parameters
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.markdown import markdown_table
from tunefront.reports.words import show_value
from tunefront.storage.trials import TrialRecord


class PivotError(TunefrontError):
    """A table that cannot be made; the message names the remedy."""


@dataclass(frozen=True)
class Pivot:
    """The complete trials of a study by one or two parameters.

    Attributes:
        rows: The name of the parameter down.
        columns: The name of the parameter across; empty for none.
        row_values: The values of the rows as texts, in order.
        column_values: Those of the columns; one empty text without columns.
        measures: What each cell shows.
        cells: Row and column -> the most accurate complete trial there.
        counts: Row and column -> the number of complete trials there.
    """

    results: StudyResults
    rows: str
    columns: str
    row_values: Sequence[str]
    column_values: Sequence[str]
    measures: Sequence[Measure]
    cells: Mapping[tuple[str, str], TrialRecord]
    counts: Mapping[tuple[str, str], int]

    @property
    def titles(self) -> list[str]:
        """The heads of the columns, that of the rows first: ``"dropout 0.1 accuracy"``, or the measure alone."""
        return [
            self.rows,
            *(
                f"{self.columns} {value} {measure.name}".strip()
                for value in self.column_values
                for measure in self.measures
            ),
        ]

    def texts(self) -> list[list[str]]:
        """Return the rows as texts for people; an empty text where no trial is complete."""
        return [
            [row, *(self._show(row, column, measure) for column in self.column_values for measure in self.measures)]
            for row in self.row_values
        ]

    def frame(self) -> pd.DataFrame:
        """Return the numbers, in the measures' units, with the rows' parameter as the index."""
        numbers = [
            [self._value(row, column, measure) for column in self.column_values for measure in self.measures]
            for row in self.row_values
        ]
        index = pd.Index(self.row_values, name=self.rows)
        return pd.DataFrame(numbers, index=index, columns=self.titles[1:])

    def _value(self, row: str, column: str, measure: Measure) -> float:
        trial = self.cells.get((row, column))
        return math.nan if trial is None else _measured(self.results, trial, measure)

    def _show(self, row: str, column: str, measure: Measure) -> str:
        value = self._value(row, column, measure)
        return "" if math.isnan(value) else format_quantity(value, measure.unit)


def make_pivot(results: StudyResults, rows: str, columns: str = "", show: Sequence[str] = ()) -> Pivot:
    """Arrange a study's complete trials by one or two parameters; in each cell stands the most accurate one.

    Args:
        rows: Short or full name of a parameter, such as ``architecture`` or ``freeze_fraction``.
        columns: Another one, or empty.
        show: Names of measures or axes; empty is the three axes.

    Raises:
        PivotError: If there is no such parameter or measure, or no trial is complete.
    """
    complete = [trial for trial in results.trials if trial.state == "complete"]
    if not complete:
        raise PivotError(f"study {results.study.name!r} has no complete trial to put into a table")
    down, across = _values(results, complete, rows), _values(results, complete, columns) if columns else {}
    cells: dict[tuple[str, str], TrialRecord] = {}
    counts: dict[tuple[str, str], int] = {}
    for trial in sorted(complete, key=lambda each: (results.loss(each, "accuracy"), each.number)):
        if trial.number in down and (not columns or trial.number in across):
            place = show_value(down[trial.number]), show_value(across[trial.number]) if columns else ""
            cells.setdefault(place, trial)
            counts[place] = counts.get(place, 0) + 1
    return Pivot(
        results,
        rows,
        columns,
        _ordered(down.values()),
        _ordered(across.values()) if columns else [""],
        [_measure(results, name) for name in show or AXES],
        cells,
        counts,
    )


def pivot_markdown(pivot: Pivot) -> str:
    """Return the table as Markdown."""
    return markdown_table(pivot.titles, pivot.texts(), n_numbers=0) + "\n"


def pivot_latex(pivot: Pivot) -> str:
    """Return the table as LaTeX, with rules of the package booktabs; all texts are escaped."""
    heads = (
        pd.MultiIndex.from_tuples(
            [
                (f"{pivot.columns} = {value}", measure.name)
                for value in pivot.column_values
                for measure in pivot.measures
            ]
        )
        if pivot.columns
        else pd.Index([measure.name for measure in pivot.measures])
    )
    texts = pivot.texts()
    frame = pd.DataFrame([row[1:] for row in texts], index=pd.Index([row[0] for row in texts]), columns=heads)
    frame.index.name = pivot.rows
    return str(
        frame.to_latex(escape=True, multicolumn=True, multicolumn_format="c", column_format="l" + "r" * len(heads))
    )


def _values(results: StudyResults, trials: Sequence[TrialRecord], name: str) -> dict[int, Any]:
    """Return trial number -> value of a parameter, without trials that have none; a fixed one is in all of them."""
    parameters = Parameters.of(trials)
    found = {trial.number: trial.parameters.get(name, parameters.value(trial, name)) for trial in trials}
    found = {number: value for number, value in found.items() if value is not None}
    if found:
        return found
    space = results.study.spec.get("space")
    fixed = space.get(name) if isinstance(space, Mapping) else None
    if isinstance(fixed, str | int | float):
        return {trial.number: fixed for trial in trials}
    known = [*parameters.differing, *parameters.shared]
    raise PivotError(f"study {results.study.name!r} has no parameter {name!r}. {nearest(name, known)}")


def _ordered(values: Any) -> list[str]:
    """Return different values as texts: numbers by size, then texts by name."""
    distinct = {show_value(value): value for value in values}

    def place(text: str) -> tuple[bool, float, str]:
        value = distinct[text]
        is_number = isinstance(value, int | float)
        return not is_number, float(value) if is_number else 0.0, text

    return sorted(distinct, key=place)


def _measure(results: StudyResults, name: str) -> Measure:
    axes = {results.axis_name(axis): axis for axis in AXES}
    if name in axes or name in AXES:
        return results.measure(axes.get(name, name))  # type: ignore[arg-type]
    if name in MEASURES:
        return MEASURES[name]
    raise PivotError(f"--show: there is no axis or measure {name!r}. {nearest(name, [*axes, *MEASURES])}")


def _measured(results: StudyResults, trial: TrialRecord, measure: Measure) -> float:
    for axis in AXES:
        if results.measure(axis).name == measure.name:
            return results.value(trial, axis)
    return trial.measurements.get(measure.name, math.nan)
