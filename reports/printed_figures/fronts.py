"""Printed figures of the front: every measured trial on one or two pairs of axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tunefront.objectives.measures import Axis
from tunefront.reports.figures.fronts import axis_values, best_of_two, limits_in_sight
from tunefront.reports.figures.trial_points import Kind, kinds
from tunefront.reports.printed_figures.number_places import Point, write_numbers
from tunefront.reports.printed_figures.printed_axis import PrintedAxis, printed_axis
from tunefront.reports.printed_figures.printed_figure import PrintedFigure
from tunefront.reports.printed_figures.style import (
    BLUE,
    GREY,
    LIGHT_GREY,
    VERMILION,
    PrintedFigureError,
    Width,
    add_legend,
    new_panels,
)
from tunefront.reports.study_results import StudyResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Kinds differ by shape and by filling, so that they can be told apart in grey.
_MARKERS: dict[str, dict[str, Any]] = {
    "pruned": {"marker": "x", "markersize": 3, "color": LIGHT_GREY, "markeredgewidth": 0.6},
    "infeasible": {"marker": "D", "markersize": 3.2, "color": VERMILION, "markerfacecolor": "none"},
    "complete": {"marker": "o", "markersize": 3.2, "color": GREY, "markerfacecolor": "white", "markeredgewidth": 0.7},
    "front": {"marker": "o", "markersize": 4.8, "color": BLUE, "markeredgecolor": "white", "markeredgewidth": 0.5},
}

_N_ON_LINE = 40  # points of a line that numbers keep off


def draw_fronts(results: StudyResults, pairs: Sequence[tuple[Axis, Axis]], width: Width) -> PrintedFigure:
    """Draw every measured trial on each pair of axes, with the steps of the best on the two, and the front's numbers.

    Raises:
        PrintedFigureError: If no trial has a value on both axes of a pair.
    """
    for x, y in pairs:
        if not any(_points(results, kind, x, y) for kind in kinds(results)):
            raise PrintedFigureError(f"no trial of study {results.study.name!r} has a value of {x} and of {y} yet")
    figure, panels = new_panels(len(pairs), width)
    for axes, (x, y) in zip(panels, pairs, strict=True):
        _draw_panel(axes, results, x, y)
    add_legend(figure, panels[0])
    figure.draw_without_rendering()  # lays the panels out, so that numbers find places that stay free
    left_out = [
        number for axes, (x, y) in zip(panels, pairs, strict=True) for number in _write_front(axes, results, x, y)
    ]
    return PrintedFigure(figure, tuple(dict.fromkeys(left_out)))


def _draw_panel(axes: Axes, results: StudyResults, x: Axis, y: Axis) -> None:
    printed_x, printed_y = _axes_of(results, x, y)
    printed_x.apply(axes, is_x=True)
    printed_y.apply(axes, is_x=False)
    steps = [(printed_x.printed(first), printed_y.printed(second)) for first, second in best_of_two(results, x, y)]
    if steps:
        axes.plot(
            *zip(*steps, strict=True), color=BLUE, linewidth=0.8, linestyle=":", drawstyle="steps-post",
            label="best of the two", gid=f"{x}-{y}.steps",
        )  # fmt: skip
    for kind in kinds(results):
        drawn = [(printed_x.printed(a), printed_y.printed(b)) for _, (a, b) in _points(results, kind, x, y)]
        if drawn:
            axes.plot(
                *zip(*drawn, strict=True), linestyle="none", **_MARKERS[kind.key],
                label=f"{kind.name} ({len(kind.trials)})", gid=f"{x}-{y}.{kind.key}",
            )  # fmt: skip
    for axis, printed, add_line in ((x, printed_x, axes.axvline), (y, printed_y, axes.axhline)):
        for limit in limits_in_sight(results, axis):
            line = add_line(printed.printed(limit), color=VERMILION, linewidth=0.7, linestyle="--", label="limit")
            line.set_gid(f"{x}-{y}.{axis}-limit")


def _write_front(axes: Axes, results: StudyResults, x: Axis, y: Axis) -> list[int]:
    printed_x, printed_y = _axes_of(results, x, y)
    points: dict[str, list[tuple[int, Point]]] = {
        kind.key: [(n, (printed_x.printed(a), printed_y.printed(b))) for n, (a, b) in _points(results, kind, x, y)]
        for kind in kinds(results)
    }
    front = points.pop("front", [])
    steps = [(printed_x.printed(a), printed_y.printed(b)) for a, b in best_of_two(results, x, y)]
    others = [*(point for found in points.values() for _, point in found), *_along(steps, printed_x)]
    return write_numbers(axes, [number for number, _ in front], [point for _, point in front], others)


def _along(steps: Sequence[Point], printed: PrintedAxis) -> Iterator[Point]:
    """Yield points on the lines of the steps, so that numbers keep off them."""
    spread = np.geomspace if printed.is_log else np.linspace
    for (start, low), (end, high) in itertools.pairwise(steps):
        yield from ((float(value), low) for value in spread(start, end, _N_ON_LINE))
        yield from ((end, float(value)) for value in np.linspace(low, high, _N_ON_LINE))


def _axes_of(results: StudyResults, x: Axis, y: Axis) -> tuple[PrintedAxis, PrintedAxis]:
    return printed_axis(results, x, axis_values(results, x)), printed_axis(results, y, axis_values(results, y))


def _points(results: StudyResults, kind: Kind, x: Axis, y: Axis) -> list[tuple[int, Point]]:
    """Return number and values of the kind's trials that have both."""
    found = [(trial.number, (results.value(trial, x), results.value(trial, y))) for trial in kind.trials]
    return [(number, point) for number, point in found if not math.isnan(sum(point))]
