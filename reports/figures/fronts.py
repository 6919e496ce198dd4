"""The front in figures: each pair of axes, with everything that was tried."""

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
    """The three pairs of axes, named ``memory-accuracy``, ``time-accuracy`` and ``memory-time``."""
    return {f"{x}-{y}": pair_figure(results, x, y) for x, y in PAIRS}


def pair_figure(results: StudyResults, x: Axis, y: Axis) -> go.Figure:
    """Every measured trial on two axes, and the steps of those that no other beats on these two.

    A trial on the front may lie off the steps: it is then better on the third axis. Trials that
    failed are not shown; nor are those without a value on both axes, but the legend counts them.
    """
    figure = new_figure(f"{y.capitalize()} against {x}")
    figure.update_layout(xaxis=_axis(results, x), yaxis=_axis(results, y))
    parameters = Parameters.of(results.trials)
    _add_steps(figure, results, x, y)
    for kind in kinds(results):
        figure.add_scatter(**points(results, kind, x, y, parameters))
    for axis, add_line in ((x, figure.add_vline), (y, figure.add_hline)):
        for limit in _limits_in_sight(results, axis):
            add_line(limit, line={"color": BROKEN_COLOUR, "width": 1, "dash": "dash"}, opacity=0.7)
    if not figure.data:
        say_in_the_middle(figure, "nothing measured yet")
    return figure


def front_figure(results: StudyResults) -> go.Figure:
    """All three axes in one figure: accuracy against memory, and time as the colour of the front.

    For a page of someone else's, so with a background; and small, because it is to lie in the database.
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
    return measure_axis(results.measure(axis), title, _values(results, axis))


def _values(results: StudyResults, axis: Axis) -> list[float]:
    """What has been measured on the axis, of trials that figures show."""
    values = [results.value(trial, axis) for kind in kinds(results) for trial in kind.trials]
    return [value for value in values if not math.isnan(value)]


def _add_steps(figure: go.Figure, results: StudyResults, x: Axis, y: Axis) -> None:
    """What the best trials reach on `y` for a given cost on `x`; nothing unless both are objectives."""
    feasible = [trial for trial in results.trials if trial.state == "complete" and trial.is_feasible]
    if not feasible or not {x, y} <= results.objectives.keys():
        return
    reached = np.array([[results.value(trial, axis) for axis in (x, y)] for trial in feasible])
    members = reached[on_front(reached, [results.measure(axis).direction for axis in (x, y)])]
    members = members[np.argsort(members[:, 0])]
    figure.add_scatter(
        name="best of these two axes",
        x=[rounded(value) for value in members[:, 0]],
        y=[rounded(value) for value in members[:, 1]],
        mode="lines",
        line={"color": FRONT_COLOUR, "width": 1.5, "shape": "hv", "dash": "dot"},
        opacity=0.7,
        hoverinfo="skip",
    )


def _limits_in_sight(results: StudyResults, axis: Axis) -> list[float]:
    """Limits between what was measured: one far away would squeeze everything else."""
    objective = results.objectives.get(axis)
    values = _values(results, axis)
    if objective is None or not values:
        return []
    limits = (objective.at_least, objective.at_most)
    return [limit for limit in limits if limit is not None and min(values) <= limit <= max(values)]


def _time_colours(results: StudyResults, numbers: Sequence[int]) -> dict[str, Any]:
    """Marker colours of the trials by the logarithm of their time, with a scale; grey where there is none."""
    by_number = {trial.number: results.value(trial, "time") for trial in results.front}
    known = [by_number[number] for number in numbers if by_number[number] > 0]  # NaN is not
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
