"""Figures of the front: each pair of axes, with every measured trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from tunefront.objectives.dominance import on_front
from tunefront.objectives.measures import Axis
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.figures.style import (
    BROKEN_COLOUR,
    FRONT_COLOUR,
    log_ticks,
    measure_axis,
    new_figure,
    say_in_the_middle,
)
from tunefront.reports.figures.trial_points import kinds, points, rounded
from tunefront.reports.parameters import Parameters
from tunefront.reports.sentences.summary import axis_title
from tunefront.reports.study_results import StudyResults

PAIRS: tuple[tuple[Axis, Axis], ...] = (("memory", "accuracy"), ("time", "accuracy"), ("memory", "time"))


def pair_figures(results: StudyResults) -> dict[str, go.Figure]:
    """Return figures of the three pairs of axes: ``memory-accuracy``, ``time-accuracy`` and ``memory-time``."""
    return {f"{x}-{y}": pair_figure(results, x, y) for x, y in PAIRS}


def pair_figure(results: StudyResults, x: Axis, y: Axis) -> go.Figure:
    """Return a figure of every measured trial on two axes, and the steps of the trials undominated on these two.

    A trial on the front may lie off the steps, if it is better on the third axis. Failed trials are not
    shown. Nor are trials that lack a value on one of the axes, but the legend counts them.
    """
    figure = new_figure(f"{results.axis_name(y).capitalize()} against {results.axis_name(x)}")
    figure.update_layout(xaxis=_axis(results, x), yaxis=_axis(results, y))
    parameters = Parameters.of(results.trials)
    _add_steps(figure, results, x, y)
    for kind in kinds(results):
        figure.add_scatter(**points(results, kind, x, y, parameters))
    for axis, add_line in ((x, figure.add_vline), (y, figure.add_hline)):
        for limit in limits_in_sight(results, axis):
            add_line(limit, line={"color": BROKEN_COLOUR, "width": 1, "dash": "dash"}, opacity=0.7)
    if not figure.data:
        say_in_the_middle(figure, "nothing measured yet")
    return figure


def front_figure(results: StudyResults) -> go.Figure:
    """Return a figure of all three axes: accuracy over memory, and time as the colour of the front.

    It is shown on optuna-dashboard's page, so it has a background. It is stored in the database, so it is small.
    """
    figure = pair_figure(results, "memory", "accuracy")
    figure.update_layout(title_text="The front", paper_bgcolor="white", height=450, margin_t=56)
    for trace in figure.data:
        if trace.meta == "front":
            trace.marker.update(_time_colours(results, trace.customdata))
        elif trace.meta:
            trace.update(hovertext=None, hoverinfo=None, hovertemplate="trial %{customdata}<extra></extra>")
    return figure


def _axis(results: StudyResults, axis: Axis) -> dict[str, Any]:
    title = axis_title(results, axis) + ("" if axis in results.objectives else ", not an objective")
    return measure_axis(results.measure(axis), title, axis_values(results, axis))


def axis_values(results: StudyResults, axis: Axis) -> list[float]:
    """Return the measured values on the axis, of the trials that figures show."""
    values = [results.value(trial, axis) for kind in kinds(results) for trial in kind.trials]
    return [value for value in values if not math.isnan(value)]


def best_of_two(results: StudyResults, x: Axis, y: Axis) -> list[tuple[float, float]]:
    """Return the values of the trials undominated on two axes, by `x`; none unless both are objectives."""
    feasible = [trial for trial in results.trials if trial.state == "complete" and trial.is_feasible]
    if not feasible or not {x, y} <= results.objectives.keys():
        return []
    reached = np.array([[results.value(trial, axis) for axis in (x, y)] for trial in feasible])
    members = reached[on_front(reached, [results.measure(axis).direction for axis in (x, y)])]
    return [(float(first), float(second)) for first, second in members[np.argsort(members[:, 0])]]


def _add_steps(figure: go.Figure, results: StudyResults, x: Axis, y: Axis) -> None:
    """Add steps of the best value on `y` for a given cost on `x`. Adds nothing unless both are objectives."""
    members = best_of_two(results, x, y)
    if not members:
        return
    figure.add_scatter(
        name="best of these two axes",
        x=[rounded(value) for value, _ in members],
        y=[rounded(value) for _, value in members],
        mode="lines",
        line={"color": FRONT_COLOUR, "width": 1.5, "shape": "hv", "dash": "dot"},
        opacity=0.7,
        hoverinfo="skip",
    )


def limits_in_sight(results: StudyResults, axis: Axis) -> list[float]:
    """Return the limits within the measured range: a limit far away would squeeze everything else."""
    objective = results.objectives.get(axis)
    values = axis_values(results, axis)
    if objective is None or not values:
        return []
    limits = (objective.at_least, objective.at_most)
    return [limit for limit in limits if limit is not None and min(values) <= limit <= max(values)]


def _time_colours(results: StudyResults, numbers: Sequence[int]) -> dict[str, Any]:
    """Return marker colours by the logarithm of the trials' times, with a scale; grey where there is no time."""
    by_number = {trial.number: results.value(trial, "time") for trial in results.front}
    known = [by_number[number] for number in numbers if by_number[number] > 0]  # False for NaN
    if not known:
        return {}
    measure = results.measure("time")
    ticks = log_ticks(min(known), max(known), measure.unit)
    colour_bar = {
        "title": {"text": axis_title(results, "time"), "side": "right"},
        "tickvals": [math.log10(tick) for tick in ticks],
        "ticktext": [format_quantity(tick, measure.unit) for tick in ticks],
        "thickness": 14,
        "outlinewidth": 0,
    }
    colours = [math.log10(by_number[n]) if by_number[n] > 0 else math.nan for n in numbers]
    return {"color": colours, "colorscale": "Viridis", "reversescale": True, "colorbar": colour_bar}
