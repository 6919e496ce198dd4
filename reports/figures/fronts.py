"""Figures of the front: each pair of axes, with every measured trial."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from tunefront.objectives.dominance import on_front
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import AXES, Axis
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.figures.axes import log_ticks, measure_axis
from tunefront.reports.figures.colours import BROKEN_COLOUR, FRONT_COLOUR, shade
from tunefront.reports.figures.intervals import add_confirmed, has_noise, noise_bars
from tunefront.reports.figures.labels import label_points, on_scale
from tunefront.reports.figures.style import new_figure, say_in_the_middle
from tunefront.reports.figures.trial_points import Kind, kinds, points, rounded, scaled
from tunefront.reports.parameters import Parameters
from tunefront.reports.sentences.summary import axis_title
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

PAIRS: tuple[tuple[Axis, Axis], ...] = (("memory", "accuracy"), ("time", "accuracy"), ("memory", "time"))


def pair_figures(results: StudyResults, confirmation: Confirmation | None = None) -> dict[str, go.Figure]:
    """Return figures of the three pairs of axes: ``memory-accuracy``, ``time-accuracy`` and ``memory-time``."""
    parameters = results.parameters
    return {f"{x}-{y}": pair_figure(results, x, y, confirmation, parameters) for x, y in PAIRS}


def pair_figure(
    results: StudyResults,
    x: Axis,
    y: Axis,
    confirmation: Confirmation | None = None,
    parameters: Parameters | None = None,
) -> go.Figure:
    """Return a figure of every measured trial on two axes, and the steps of the trials undominated on these two.

    A trial on the front may lie off the steps, if it is better on the third axis: the fuller a point of the front, the
    better it is there. Each has a bar of what chance may have done to its score; where the search was confirmed, the
    confirmed score with its interval instead. The best on each objective are labelled.

    Trials that were stopped early are hidden at first. Failed trials are not shown. Nor are trials that lack a value on
    one of the axes, but the legend counts them.
    """
    title = f"{results.axis_name(y).capitalize()} against {results.axis_name(x)}"
    subtitle = _subtitle(results, x, y, confirmation)
    figure = new_figure(title, subtitle, xaxis=_axis(results, x), yaxis=_axis(results, y))
    parameters = parameters or results.parameters
    add_steps(figure, best_of_two(results, x, y))
    third = third_objective(results, x, y)
    on_steps = {trial.number for trial in _undominated(results, x, y)}
    reasons = (
        {number: f" for its {results.axis_name(third)}" for number in results.front_numbers - on_steps} if third else {}
    )
    for kind in kinds(results):
        trace = points(results, kind, x, y, parameters, reasons)
        if kind.key == "front":
            trace |= {"marker": {**trace["marker"], "color": _shades(results, trace["customdata"], third)}}
            if y == "accuracy" and not confirmation:
                trace |= noise_bars(results, trace["y"])
        figure.add_scatter(**trace)
    if confirmation and y == "accuracy":
        add_confirmed(figure, confirmation, x)
    best = {trial.number: str(trial.number) for axis in results.objectives if (trial := results.best(axis)) is not None}
    label_points(figure, [trace for trace in figure.data if trace.meta == "front"], best)
    add_limits(figure, results, x, y)
    if not figure.data:
        say_in_the_middle(figure, "nothing measured yet")
    return figure


def add_limits(figure: go.Figure, results: StudyResults, x: Axis, y: Axis) -> None:
    """Add a dashed line at each limit of the study that lies within a figure's axes."""
    drawn_axes = ((x, figure.layout.xaxis, figure.add_vline), (y, figure.layout.yaxis, figure.add_hline))
    for axis, drawn, add_line in drawn_axes:
        for limit in _limits_on(drawn, results.objectives.get(axis)):
            add_line(limit, line={"color": BROKEN_COLOUR, "width": 1, "dash": "dash"}, opacity=0.7)


def front_figure(results: StudyResults) -> go.Figure:
    """Return a figure of all three axes: accuracy over memory, and time as the colour of the front.

    It is shown on optuna-dashboard's page, so it has a background. It is stored in the database, so it is small.
    """
    figure = pair_figure(results, "memory", "accuracy")
    figure.update_layout(title={"text": "The front", "subtitle": None}, paper_bgcolor="white", height=450, margin_t=56)
    for trace in figure.data:
        if trace.meta == "front":
            trace.marker.update(_time_colours(results, trace.customdata))
        elif trace.meta:
            trace.update(hovertext=None, hoverinfo=None, hovertemplate="trial %{customdata}<extra></extra>")
    return figure


def _subtitle(results: StudyResults, x: Axis, y: Axis, confirmation: Confirmation | None) -> str:
    """Explain the shades and the bars of the front, in a line each."""
    if not results.front:
        return ""
    lines = []
    third = third_objective(results, x, y)
    if third:
        lines += describe_shades(results, third, [results.value(trial, third) for trial in results.front])
    if y == "accuracy" and confirmation:
        lines.append("bars: confirmed mean, 95 % interval")
    elif y == "accuracy" and has_noise(results):
        lines.append(f"bars: what {results.study.dataset['n_validation']} {results.examples} leave to chance")
    return "<br>".join(lines)


def describe_shades(results: StudyResults, third: Axis, values: Sequence[float]) -> list[str]:
    """Explain the shades of points by their values on a third axis in a line; none if these do not differ."""
    known = [value for value in values if not math.isnan(value)]
    if len(set(known)) < 2:
        return []
    measure = results.measure(third)
    ends = [format_quantity(end, measure.unit) for end in sorted((min(known), max(known)), key=measure.loss)]
    better = "better" if third == "accuracy" else "less"
    return [f"fuller: {better} {results.axis_name(third)}, {ends[1]} to {ends[0]}"]


def _axis(results: StudyResults, axis: Axis) -> dict[str, Any]:
    objective = results.objectives.get(axis)
    title = axis_title(results, axis) + ("" if objective else ", not an objective")
    return measure_axis(results.measure(axis), title, _shown_values(results, axis), objective)


def axis_values(results: StudyResults, axis: Axis) -> list[float]:
    """Return the measured values on the axis, of all trials that figures can show."""
    return _values_of(results, list(kinds(results)), axis)


def _shown_values(results: StudyResults, axis: Axis) -> list[float]:
    """Return the values of the trials that a figure shows at first; if there are none, of those that it can show."""
    shown = _values_of(results, [kind for kind in kinds(results) if kind.is_shown], axis)
    return shown or axis_values(results, axis)


def _values_of(results: StudyResults, found: Sequence[Kind], axis: Axis) -> list[float]:
    values = [results.value(trial, axis) for kind in found for trial in kind.trials]
    return [value for value in values if not math.isnan(value)]


def third_objective(results: StudyResults, x: Axis, y: Axis) -> Axis | None:
    """Return the objective that is on neither axis; None if there is none, or if an axis is no objective."""
    (third,) = (axis for axis in AXES if axis not in (x, y))
    return third if {*AXES} <= results.objectives.keys() else None


def best_of_two(results: StudyResults, x: Axis, y: Axis) -> list[tuple[float, float]]:
    """Return the values of the trials undominated on two axes, by `x`; none unless both are objectives."""
    return [(results.value(trial, x), results.value(trial, y)) for trial in _undominated(results, x, y)]


def _undominated(results: StudyResults, x: Axis, y: Axis) -> list[TrialRecord]:
    feasible = [trial for trial in results.trials if trial.state == "complete" and trial.is_feasible]
    if not feasible or not {x, y} <= results.objectives.keys():
        return []
    reached = np.array([[results.value(trial, axis) for axis in (x, y)] for trial in feasible])
    is_member = on_front(reached, [results.measure(axis).direction for axis in (x, y)])
    members = [trial for trial, is_on in zip(feasible, is_member, strict=True) if is_on]
    return sorted(members, key=lambda trial: results.value(trial, x))


def add_steps(figure: go.Figure, members: Sequence[tuple[float, float]]) -> None:
    """Add steps of the best value for a given cost, through points that are undominated on two axes, by their cost."""
    if not members:
        return
    figure.add_scatter(
        name="best of the two",
        x=[rounded(value) for value, _ in members],
        y=[rounded(value) for _, value in members],
        mode="lines",
        line={"color": FRONT_COLOUR, "width": 1.5, "shape": "hv", "dash": "dot"},
        opacity=0.7,
        hoverinfo="skip",
    )


def _shades(results: StudyResults, numbers: Sequence[int], third: Axis | None) -> Any:
    """Return the colours of the front's points: the better on the third axis, the fuller."""
    by_number = {trial.number: trial for trial in results.front}
    return shades_of(results, third, [results.value(by_number[number], third) for number in numbers] if third else [])


def shades_of(results: StudyResults, third: Axis | None, values: Sequence[float]) -> Any:
    """Return a colour for each value on a third axis, the better the fuller; one for all without such an axis."""
    if third is None or len(values) < 2:
        return FRONT_COLOUR
    return [shade(FRONT_COLOUR, share) for share in scaled(values, results.measure(third))]


def limits_in_sight(results: StudyResults, axis: Axis) -> list[float]:
    """Return the limits within the measured range: a limit far away would squeeze everything else."""
    objective, values = results.objectives.get(axis), axis_values(results, axis)
    return [limit for limit in _limits(objective) if values and min(values) <= limit <= max(values)]


def _limits_on(drawn: Any, objective: Objective | None) -> list[float]:
    """Return the limits within a plotly axis's range."""
    low, high = drawn.range or (math.inf, -math.inf)
    limits = [limit for limit in _limits(objective) if limit > 0 or drawn.type != "log"]
    return [limit for limit in limits if low <= on_scale(limit, drawn) <= high]


def _limits(objective: Objective | None) -> list[float]:
    found = (objective.at_least, objective.at_most) if objective else ()
    return [limit for limit in found if limit is not None]


def _time_colours(results: StudyResults, numbers: Sequence[int]) -> Mapping[str, Any]:
    """Return marker colours by the logarithm of the trials' times, with a scale; grey where there is no time."""
    by_number = {trial.number: results.value(trial, "time") for trial in results.front}
    known = [by_number[number] for number in numbers if by_number[number] > 0]  # False for NaN
    if not known:
        return {}
    measure = results.measure("time")
    ticks = log_ticks(min(known), max(known), measure.unit) if min(known) < max(known) else [min(known)]
    colour_bar = {
        "title": {"text": axis_title(results, "time"), "side": "right"},
        "tickvals": [math.log10(tick) for tick in ticks],
        "ticktext": [format_quantity(tick, measure.unit) for tick in ticks],
        "thickness": 14,
        "outlinewidth": 0,
    }
    colours = [math.log10(by_number[n]) if by_number[n] > 0 else math.nan for n in numbers]
    return {"color": colours, "colorscale": "Viridis", "reversescale": True, "colorbar": colour_bar}
