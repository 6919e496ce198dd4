"""Bars of what is not certain about the scores of the front: the noise of so many images, or confirmed intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from tunefront.objectives.measures import Axis, Measure
from tunefront.objectives.noise import noise
from tunefront.objectives.skill import skill_scale
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.sentences import show_estimate
from tunefront.reports.figures.colours import FRONT_COLOUR, see_through
from tunefront.reports.figures.trial_points import rounded
from tunefront.reports.study_results import StudyResults

_LARGEST_SHARE = 0.8  # of a value that a bar takes down, because one to 0 could not be drawn on a log scale


def has_noise(results: StudyResults) -> bool:
    """Return whether the noise of scores is known."""
    return any(noise_bars(results, [results.value(trial, "accuracy")]) for trial in results.front[:1])


def noise_bars(results: StudyResults, scores: Sequence[float]) -> dict[str, Any]:
    """Return error bars of the difference that may be chance; none if the number of images is not known."""
    n_images = int(results.study.dataset.get("n_validation") or 0)
    measure = results.measure("accuracy")
    widths = [noise(score, n_images, measure) for score in scores]
    if all(math.isnan(width) for width in widths):
        return {}
    return {"error_y": interval_bars(measure, scores, widths)}


def interval_bars(measure: Measure, values: Sequence[float], half_widths: Sequence[float]) -> dict[str, Any]:
    """Return thin error bars without caps."""
    scored = measure if measure.axis == "accuracy" else None
    sides = [bar_sides(value, width, scored) for value, width in zip(values, half_widths, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": [rounded(up) for _, up in sides],
        "arrayminus": [rounded(down) for down, _ in sides],
        "color": see_through(FRONT_COLOUR, 0.5),
        "thickness": 1.2,
        "width": 0,
    }


def bar_sides(value: float, half_width: float, measure: Measure | None = None) -> tuple[float, float]:
    """Return how far a figure draws an interval down and up: not beyond possible values; 0 if it is NaN.

    Args:
        measure: That of a score; None for a cost.
    """
    half = 0.0 if math.isnan(half_width) else half_width
    scale = skill_scale(measure) if measure else None
    has_best = scale is not None and scale.best > 0
    up = min(half, scale.best - value) if scale is not None and has_best else half
    is_open = scale is not None and has_best and math.isinf(scale.worst)  # a score that may be negative
    return half if is_open else min(half, _LARGEST_SHARE * value), up


def add_confirmed(figure: go.Figure, confirmation: Confirmation, x: Axis) -> None:
    """Add the confirmed score of each trial on the front with its interval, at the costs of the search."""
    search = confirmation.search
    found = [
        finalist
        for finalist in confirmation.finalists
        if finalist.trainings and finalist.number in search.front_numbers
        if not math.isnan(search.value(finalist.searched, x))
    ]
    estimates = [finalist.estimates["accuracy"] for finalist in found]
    measure = search.measure("accuracy")
    figure.add_scatter(
        name="confirmed",
        x=[rounded(search.value(finalist.searched, x)) for finalist in found],
        y=[rounded(estimate.mean) for estimate in estimates],
        error_y=interval_bars(
            measure, [estimate.mean for estimate in estimates], [estimate.half_width for estimate in estimates]
        ),
        mode="markers",
        marker={"symbol": "line-ew", "size": 14, "line": {"color": FRONT_COLOUR, "width": 2}},
        customdata=[finalist.number for finalist in found],
        hovertext=[
            f"<b>trial {finalist.number}</b>, confirmed: {show_estimate(estimate, measure.unit)}"
            for finalist, estimate in zip(found, estimates, strict=True)
        ],
        hoverinfo="text",
        meta="confirmed",
    )
