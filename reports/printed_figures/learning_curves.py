"""The printed figure of learning curves: the score by epoch, with the front's curves on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tunefront.reports.printed_figures.number_places import Point, write_numbers
from tunefront.reports.printed_figures.printed_axis import PrintedAxis, printed_axis
from tunefront.reports.printed_figures.printed_figure import PrintedFigure
from tunefront.reports.printed_figures.style import (
    LIGHT_GREY,
    LINE_COLOURS,
    LINE_STYLES,
    PrintedFigureError,
    Width,
    add_legend,
    new_panels,
)
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_learning_curves(results: StudyResults, width: Width) -> PrintedFigure:
    """Draw the validation score of every trial by epoch; a dot marks the epoch whose weights a model of the front has.

    Raises:
        PrintedFigureError: If no trial has trained an epoch.
    """
    from matplotlib.ticker import MaxNLocator

    trained = [trial for trial in results.trials if trial.epochs]
    if not trained:
        raise PrintedFigureError(f"no trial of study {results.study.name!r} has trained an epoch yet")
    printed = printed_axis(results, "accuracy", [epoch.accuracy for trial in trained for epoch in trial.epochs])
    figure, (axes, *_) = new_panels(1, width)
    printed.apply(axes, is_x=False)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    beaten = [trial for trial in trained if trial.number not in results.front_numbers]
    for trial in beaten:
        label = f"other trials ({len(beaten)})" if trial is beaten[0] else None
        _draw(axes, trial, printed, color=LIGHT_GREY, linewidth=0.5, alpha=0.7, label=label)
    front = [trial for trial in results.front if trial.epochs]
    for place, trial in enumerate(front):
        label = f"on the front ({len(front)}); dot: weights kept" if trial is front[0] else None
        colour = LINE_COLOURS[place % len(LINE_COLOURS)]
        _draw(axes, trial, printed, color=colour, linestyle=LINE_STYLES[place % len(LINE_STYLES)], label=label)
        axes.plot(*_kept(trial, printed), marker="o", markersize=4, color=colour, gid=f"kept.{trial.number}")
    add_legend(figure, axes)
    figure.draw_without_rendering()
    numbers = [trial.number for trial in front]
    on_lines = [point for trial in front for point in _points(trial, printed)]
    return PrintedFigure(
        figure, tuple(write_numbers(axes, numbers, [_kept(trial, printed) for trial in front], on_lines))
    )


def _draw(axes: Axes, trial: TrialRecord, printed: PrintedAxis, **style: Any) -> None:
    x, y = zip(*_points(trial, printed), strict=True)
    # A single epoch is no line, so it is a short mark.
    marker = "_" if len(x) == 1 else None
    axes.plot(x, y, marker=marker, gid=f"trial.{trial.number}", **style)


def _points(trial: TrialRecord, printed: PrintedAxis) -> list[Point]:
    return [(float(epoch.epoch), printed.printed(epoch.accuracy)) for epoch in trial.epochs]


def _kept(trial: TrialRecord, printed: PrintedAxis) -> Point:
    """Return the point of the epoch whose weights were kept; the last one where the trial does not tell it."""
    points = _points(trial, printed)
    return next((point for point in points if point[0] == trial.measurements.get("best_epoch")), points[-1])
