"""The rows of the table of candidates: the models that somebody could choose, with their differences to the best."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.cheapness import mean_log_costs
from tunefront.objectives.measures import AXES, Axis, Measure
from tunefront.objectives.quantities import significant
from tunefront.objectives.tolerance import describe_tolerance, thinned, tolerance_of
from tunefront.reports.selection.options import Option, Options, front_of

MOST_ROWS = 15  # of a larger front, models that differ by no more than the tolerance share a row
MOST_IN_PAGE = 300  # rows that a page has at all: each is a panel of some kilobytes
_MOST_DOUBLINGS = 2  # more would call models alike that anybody tells apart


@dataclass(frozen=True)
class CandidateRow:
    """A model in the table.

    Attributes:
        is_outside: Whether it breaks a limit of the study, so that it shows only where a reader loosens that.
        stands_for: Numbers of further models of the front that differ from it by no more than the tolerance.
        is_stood_for: Whether it is such a model, or one between the rows, which shows only with all others.
    """

    option: Option
    is_outside: bool = False
    stands_for: tuple[int, ...] = ()
    is_stood_for: bool = False

    @property
    def number(self) -> int:
        return self.option.number


@dataclass(frozen=True)
class CandidateTable:
    """The rows of the table.

    Attributes:
        tolerances: Axis -> the difference within which models share a row, in words; empty if each has its own, or if
            so many models differ by more that those that show first are only spread over the front.
        n_left_out: The number of models on the front that have no row, because there are very many.
    """

    rows: Sequence[CandidateRow]
    tolerances: Mapping[Axis, str]
    n_left_out: int = 0

    @property
    def n_inside(self) -> int:
        return sum(not row.is_outside for row in self.rows)

    @property
    def n_shown_first(self) -> int:
        return sum(not row.is_outside and not row.is_stood_for for row in self.rows)


def candidate_table(options: Options, picked: Sequence[int] = (), nearest: Option | None = None) -> CandidateTable:
    """Return the front of what can be chosen, most accurate first, and what would be on it without the study's limits.

    After a confirmation the cautious front is there too: what another one beats, but not for sure.

    Args:
        picked: Numbers of models that always have a row of their own.
        nearest: A model outside the study's limits whose row is the first.
    """
    front = front_of(options, options.members)
    on_front = {option.key for option in front}
    front += [option for option in options.members if option.key not in on_front and _is_unbeaten(option)]
    beyond = front_of(options, [*options.members, *options.outside]) if options.outside else []
    if nearest is not None and nearest not in beyond:
        beyond.append(nearest)
    stands_for, hidden, tolerances = _thinned(options, front, picked)
    outside = {option.number for option in options.outside}
    measures = [options.results.measure(axis) for axis in AXES]

    def order(option: Option) -> tuple[Any, ...]:
        return (option is not nearest, *(_loss(measure, option) for measure in measures), option.number)

    always = {option.number for option in front} - hidden
    inside = _some(sorted(front, key=order), always)
    others = _some(sorted((option for option in beyond if option.number in outside), key=order), set())
    rows = [
        CandidateRow(option, stands_for=tuple(stands_for.get(option.number, ())), is_stood_for=option.number in hidden)
        for option in inside
    ]
    rows += [CandidateRow(option, is_outside=True) for option in others]
    return CandidateTable(sorted(rows, key=lambda row: order(row.option)), tolerances, len(front) - len(inside))


def _is_unbeaten(option: Option) -> bool:
    """Return whether a confirmation leaves a model on the cautious front, though another one's means are better."""
    return option.confirmed is not None and option.confirmed.is_on_cautious_front


def _some(candidates: Sequence[Option], always: Collection[int]) -> list[Option]:
    """Return the candidates, of more than :data:`MOST_IN_PAGE` the first, those in `always`, and some between them."""
    places = np.linspace(0, len(candidates) - 1, min(len(candidates), MOST_IN_PAGE)).round().astype(int).tolist()
    spread = {candidates[place].number for place in places}
    return [option for option in candidates if option.number in spread or option.number in always]


def best_values(options: Options, rows: Sequence[CandidateRow]) -> dict[Axis, float]:
    """Return the best value of the rows within the study's limits on each axis; of all rows if there is none."""
    inside = [row for row in rows if not row.is_outside] or rows
    measures: Mapping[Axis, Measure] = {axis: options.results.measure(axis) for axis in AXES}
    return {axis: measure.best(row.option.value(measure.name) for row in inside) for axis, measure in measures.items()}


def show_difference(measure: Measure, value: float, best: float) -> str:
    """Return the difference to the best value: points of a score, a share of a cost; empty at the best or unknown."""
    if math.isnan(value) or math.isnan(best) or value == best:
        return ""
    if measure.direction == "maximize":
        step = value - best
        shown = f"{100 * step:.2f}" if measure.unit == "fraction" else significant(step, 2)
        return shown.replace("-", "\N{MINUS SIGN}")
    if best <= 0:
        return ""
    ratio = value / best
    return f"+{100 * (ratio - 1):.0f} %" if ratio < 1.995 else f"{ratio:.2g} \N{MULTIPLICATION SIGN}"


def _thinned(
    options: Options, front: Sequence[Option], picked: Sequence[int]
) -> tuple[dict[int, list[int]], set[int], dict[Axis, str]]:
    """Return number -> the numbers it stands for, the numbers that show only with all, and the tolerances in words.

    The tolerances are those of the spec, doubled until few enough rows are left. If too many are left nevertheless,
    none stands for another one, and the cheapest of each band of the first objective are shown. What is picked always
    shows.
    """
    if len(front) <= MOST_ROWS:
        return {}, set(), {}
    objectives = dict(options.results.objectives)
    points = np.array([[option.value(each.measure.name) for each in objectives.values()] for option in front])
    numbers = [option.number for option in front]
    found = thinned(points, numbers, objectives)
    for _ in range(_MOST_DOUBLINGS):
        if len(found) <= MOST_ROWS:
            break
        objectives = {axis: replace(each, tolerance=2 * tolerance_of(each)) for axis, each in objectives.items()}
        found = thinned(points, numbers, objectives)
    if len(found) > MOST_ROWS:
        shown = {*picked, *(numbers[row] for row in _spread_rows(points))}
        return {}, set(numbers) - shown, {}
    stands_for = {number: [other for other in others if other not in picked] for number, others in found.items()}
    hidden = {number for others in stands_for.values() for number in others}
    return stands_for, hidden, {axis: describe_tolerance(each) for axis, each in objectives.items()}


def _spread_rows(points: NDArray[np.float64]) -> list[int]:
    """Return the cheapest row of each of :data:`MOST_ROWS` equally wide bands of the first column."""
    first = points[:, 0]
    shares = (first - first.min()) / (np.ptp(first) or 1.0)
    bands = np.minimum((MOST_ROWS * shares).astype(int), MOST_ROWS - 1)
    dearness = mean_log_costs(points[:, 1:])
    cheapest: dict[int, int] = {}
    for row in np.argsort(dearness, kind="stable").tolist():
        cheapest.setdefault(int(bands[row]), row)
    return list(cheapest.values())


def _loss(measure: Measure, option: Option) -> float:
    value = option.value(measure.name)
    return math.inf if math.isnan(value) else measure.loss(value)
