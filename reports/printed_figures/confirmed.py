"""The printed figure of a confirmation: each finalist's means with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tunefront.objectives.measures import Axis
from tunefront.reports.confirmation.confirmation import Confirmation, Confirmed
from tunefront.reports.confirmation.figures import interval_sides
from tunefront.reports.printed_figures.number_places import Point, write_numbers
from tunefront.reports.printed_figures.printed_axis import PrintedAxis, printed_axis
from tunefront.reports.printed_figures.printed_figure import PrintedFigure
from tunefront.reports.printed_figures.style import (
    BLUE,
    GREY,
    LIGHT_GREY,
    PrintedFigureError,
    Width,
    add_legend,
    new_panels,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COSTS: tuple[Axis, ...] = ("memory", "time")


def draw_confirmed(confirmation: Confirmation, width: Width) -> PrintedFigure:
    """Draw the mean score of each finalist over memory and over time, with 95 % intervals where they are known.

    A thin line leads to each mean from its value in the search.

    Raises:
        PrintedFigureError: If no training is complete.
    """
    trained = [finalist for finalist in confirmation.finalists if finalist.trainings]
    if not trained:
        raise PrintedFigureError(f"no training of study {confirmation.study.study.name!r} is complete yet")
    figure, panels = new_panels(len(_COSTS), width)
    for axes, cost in zip(panels, _COSTS, strict=True):
        _draw_panel(axes, confirmation, trained, cost)
    add_legend(figure, panels[0])
    figure.draw_without_rendering()
    left_out: list[int] = []
    numbers = [finalist.number for finalist in trained]
    for axes, cost in zip(panels, _COSTS, strict=True):
        printed = _axes_of(confirmation, trained, cost)
        means = [_mean(finalist, cost, printed) for finalist in trained]
        drawn = [_searched(confirmation, finalist, cost, printed) for finalist in trained]
        drawn += [point for finalist in trained for point in _on_bars(finalist, cost, printed)]
        left_out += write_numbers(axes, numbers, means, drawn)
    return PrintedFigure(figure, tuple(dict.fromkeys(left_out)))


_Printed = tuple[PrintedAxis, PrintedAxis]


def _draw_panel(axes: Axes, confirmation: Confirmation, trained: Sequence[Confirmed], cost: Axis) -> None:
    printed = _axes_of(confirmation, trained, cost)
    printed[0].apply(axes, is_x=True)
    printed[1].apply(axes, is_x=False)
    for finalist in trained:
        ends = _searched(confirmation, finalist, cost, printed), _mean(finalist, cost, printed)
        axes.plot(*zip(*ends, strict=True), color=LIGHT_GREY, linewidth=0.6)
    searched = [_searched(confirmation, finalist, cost, printed) for finalist in trained]
    axes.plot(
        *zip(*searched, strict=True), linestyle="none", marker="x", markersize=3.5, color=GREY,
        markeredgewidth=0.8, label="as the search saw it", gid=f"{cost}.searched",
    )  # fmt: skip
    cautious = [finalist for finalist in trained if finalist.is_on_cautious_front]
    _draw_means(axes, [finalist for finalist in trained if finalist not in cautious], cost, printed, "beaten")
    _draw_means(axes, cautious, cost, printed, "cautious front")


def _draw_means(axes: Axes, finalists: Sequence[Confirmed], cost: Axis, printed: _Printed, name: str) -> None:
    """Draw means with error bars; filled circles are of the cautious front, so that they differ in grey too."""
    if not finalists:
        return
    is_front = name == "cautious front"
    x, y = zip(*(_mean(finalist, cost, printed) for finalist in finalists), strict=True)
    # Error bars down and up, shape (2, n).
    widths, heights = (
        [
            [side / scaled.scale for side in sides]
            for sides in zip(*(interval_sides(f, a) for f in finalists), strict=True)
        ]
        for a, scaled in ((cost, printed[0]), ("accuracy", printed[1]))
    )
    axes.errorbar(
        x, y, xerr=widths, yerr=heights, linestyle="none", marker="o", markersize=4.8,
        color=BLUE if is_front else GREY, markerfacecolor=BLUE if is_front else "white", elinewidth=0.7,
        label=f"{name} ({len(finalists)})", gid=f"{cost}.{name.split(maxsplit=1)[0]}",
    )  # fmt: skip


def _axes_of(confirmation: Confirmation, trained: Sequence[Confirmed], cost: Axis) -> _Printed:
    """Return axes that hold means, intervals and the search's values."""
    search = confirmation.search
    split = "test" if confirmation.has_test else "validation"

    def reached(axis: Axis) -> list[float]:
        values = [search.value(finalist.searched, axis) for finalist in trained]
        for finalist in trained:
            mean, (down, up) = finalist.estimates[axis].mean, interval_sides(finalist, axis)
            values += [mean - down, mean + up]
        return values

    return printed_axis(search, cost, reached(cost)), printed_axis(search, "accuracy", reached("accuracy"), split)


def _on_bars(finalist: Confirmed, cost: Axis, printed: _Printed) -> Iterator[Point]:
    """Yield points on both error bars of a finalist, so that numbers keep off them."""
    means = _mean(finalist, cost, printed)
    for place, axis in enumerate((cost, "accuracy")):
        down, up = (side / printed[place].scale for side in interval_sides(finalist, axis))
        for value in np.linspace(means[place] - down, means[place] + up, 30):
            yield (float(value), means[1]) if place == 0 else (means[0], float(value))


def _mean(finalist: Confirmed, cost: Axis, printed: _Printed) -> Point:
    estimates = finalist.estimates
    return printed[0].printed(estimates[cost].mean), printed[1].printed(estimates["accuracy"].mean)


def _searched(confirmation: Confirmation, finalist: Confirmed, cost: Axis, printed: _Printed) -> Point:
    value = confirmation.search.value(finalist.searched, cost)
    return printed[0].printed(value), printed[1].printed(finalist.search_accuracy)
