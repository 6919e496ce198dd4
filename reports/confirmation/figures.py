"""The figures of a confirmation: each finalist's values in the search, and its means when trained again."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from tunefront.objectives.dominance import on_front
from tunefront.objectives.measures import Axis
from tunefront.reports.confirmation.confirmation import Confirmation, Confirmed
from tunefront.reports.confirmation.sentences import show_estimate, show_probability
from tunefront.reports.figures.axes import measure_axis
from tunefront.reports.figures.colours import COMPLETE_COLOUR, FRONT_COLOUR
from tunefront.reports.figures.fronts import add_limits, add_steps, describe_shades, shades_of, third_objective
from tunefront.reports.figures.intervals import bar_sides, interval_bars
from tunefront.reports.figures.labels import label_points
from tunefront.reports.figures.style import new_figure
from tunefront.reports.figures.trial_points import rounded
from tunefront.reports.sentences.summary import axis_title, second_title
from tunefront.reports.study_results import StudyResults


def confirmation_figures(confirmation: Confirmation) -> dict[str, go.Figure]:
    """Return figures of the score over memory and time, named ``confirmed-memory`` and ``confirmed-time``."""
    return {f"confirmed-{x}": _figure(confirmation, x) for x in ("memory", "time")}


def _figure(confirmation: Confirmation, x: Axis) -> go.Figure:
    """Return a figure of means with their intervals; a thin line leads to each from its value in the search.

    As in the search's own figures, axes end at the limits, the cautious front is the fuller the better it is on the
    third objective, and steps join the best of the two.
    """
    search = confirmation.search
    finalists = [finalist for finalist in confirmation.finalists if finalist.trainings]
    cautious = [finalist for finalist in finalists if finalist.is_on_cautious_front]
    measure, name = search.measure("accuracy"), search.axis_name("accuracy")
    score = f"test {name}" if confirmation.has_test else name
    third = third_objective(search, x, "accuracy")
    thirds = [finalist.estimates[third].mean for finalist in cautious] if third else []
    shades = describe_shades(search, third, thirds) if third else []
    title = f"{score} ({second_title(search, 'accuracy')})" if measure.unit == "number" else score
    scores = [score for f in finalists for score in (f.estimates["accuracy"].mean, f.search_accuracy)]
    values = [value for f in finalists for value in (f.estimates[x].mean, search.value(f.searched, x))]
    figure = new_figure(
        f"Confirmed {name} against {x}",
        "<br>".join([*shades, "bars: 95 % intervals of the means"]),
        xaxis=measure_axis(search.measure(x), axis_title(search, x), values, search.objectives.get(x)),
        yaxis=measure_axis(measure, title, scores, search.objectives.get("accuracy")),
    )
    add_steps(figure, _best_means(confirmation, cautious, x))
    _add_ways(figure, confirmation, x)
    figure.add_scatter(
        name="as the search saw it",
        x=[rounded(search.value(finalist.searched, x)) for finalist in finalists],
        y=[rounded(finalist.search_accuracy) for finalist in finalists],
        mode="markers",
        marker={"symbol": "circle-open", "size": 9, "color": COMPLETE_COLOUR, "line": {"width": 1.5}},
        customdata=[finalist.number for finalist in finalists],
        hovertext=[f"trial {f.number}: {search.show(f.searched, 'accuracy')} in the search" for f in finalists],
        hoverinfo="text",
    )
    left_out = [finalist for finalist in finalists if not finalist.is_on_cautious_front]
    _add_means(figure, confirmation, x, left_out, "beaten", COMPLETE_COLOUR)
    colours = shades_of(search, third, thirds)
    _add_means(figure, confirmation, x, cautious, "cautious front", colours, FRONT_COLOUR)
    means = [trace for trace in figure.data if (trace.name or "").startswith("cautious")]
    label_points(figure, means, {number: str(number) for number in _extremes(search, cautious)})
    add_limits(figure, search, x, "accuracy")
    return figure


def _best_means(confirmation: Confirmation, finalists: Sequence[Confirmed], x: Axis) -> list[tuple[float, float]]:
    """Return the means that no other one beats on two axes, by `x`; none unless both are objectives."""
    search = confirmation.search
    if not finalists or not {x, "accuracy"} <= search.objectives.keys():
        return []
    means = np.array([[finalist.estimates[axis].mean for axis in (x, "accuracy")] for finalist in finalists])
    is_best = on_front(means, [search.measure(x).direction, search.measure("accuracy").direction])
    return sorted((float(cost), float(score)) for cost, score in means[is_best])


def _extremes(search: StudyResults, finalists: Sequence[Confirmed]) -> list[int]:
    """Return the number of the finalist with the best mean on each objective."""
    found = []
    for axis in search.objectives if finalists else ():
        losses = [search.measure(axis).loss(finalist.estimates[axis].mean) for finalist in finalists]
        found.append(finalists[losses.index(min(losses))].number)
    return found


def _add_ways(figure: go.Figure, confirmation: Confirmation, x: Axis) -> None:
    """Add the lines from the search's values to the means, all in one trace with gaps between them."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for finalist in (finalist for finalist in confirmation.finalists if finalist.trainings):
        xs += [rounded(confirmation.search.value(finalist.searched, x)), rounded(finalist.estimates[x].mean), None]
        ys += [rounded(finalist.search_accuracy), rounded(finalist.estimates["accuracy"].mean), None]
    line = {"color": COMPLETE_COLOUR, "width": 1}
    figure.add_scatter(x=xs, y=ys, mode="lines", line=line, opacity=0.6, hoverinfo="skip", showlegend=False)


def _add_means(
    figure: go.Figure,
    confirmation: Confirmation,
    x: Axis,
    finalists: Sequence[Confirmed],
    name: str,
    colour: Any,
    outline: str = "white",
) -> None:
    if not finalists:
        return
    figure.add_scatter(
        name=f"{name} ({len(finalists)})",
        x=[rounded(finalist.estimates[x].mean) for finalist in finalists],
        y=[rounded(finalist.estimates["accuracy"].mean) for finalist in finalists],
        error_x=_bars(confirmation, finalists, x),
        error_y=_bars(confirmation, finalists, "accuracy"),
        mode="markers",
        marker={"size": 10, "color": colour, "line": {"color": outline, "width": 1.5}},
        customdata=[finalist.number for finalist in finalists],
        hovertext=[_hover(confirmation, finalist) for finalist in finalists],
        hoverinfo="text",
    )


def interval_sides(finalist: Confirmed, axis: Axis) -> tuple[float, float]:
    """Return how far a figure draws a mean's interval down and up: not beyond possible values; 0 if it is not known."""
    found = finalist.estimates[axis]
    return bar_sides(found.mean, found.half_width, finalist.measure if axis == "accuracy" else None)


def _bars(confirmation: Confirmation, finalists: Sequence[Confirmed], axis: Axis) -> dict[str, Any]:
    """Return error bars of half an interval; none where the interval is not known."""
    found = [finalist.estimates[axis] for finalist in finalists]
    means, half_widths = [estimate.mean for estimate in found], [estimate.half_width for estimate in found]
    return interval_bars(confirmation.search.measure(axis), means, half_widths)


def _hover(confirmation: Confirmation, finalist: Confirmed) -> str:
    values = ", ".join(
        f"{confirmation.search.axis_name(axis)} {show_estimate(found, confirmation.search.measure(axis).unit)}"
        for axis, found in finalist.estimates.items()
    )
    chance = "" if math.isnan(finalist.front_probability) else f", on the front with {show_probability(finalist)}"
    verdict = html.escape(f"{finalist.verdict}{chance}")
    return f"<b>trial {finalist.number}</b>: {verdict}<br>{values}"
