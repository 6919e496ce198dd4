"""The figure of hypervolume over time: how soon the front was found, and whether it still grew at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tunefront.objectives.dominance import hypervolume, losses
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import Axis
from tunefront.objectives.skill import skill_scale
from tunefront.reports.figures.colours import FRONT_COLOUR
from tunefront.reports.figures.style import new_figure
from tunefront.reports.figures.trial_points import rounded
from tunefront.reports.figures.units import time_unit
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

MOST_STEPS = 400  # more would lie on each other in a figure


@dataclass(frozen=True)
class Growth:
    """A trial that made the front better.

    Attributes:
        seconds: When it ended, on a clock that stands still while no trial runs.
        share: The hypervolume from then on, as a share of that of all trials.
    """

    number: int
    seconds: float
    share: float


def hypervolume_figure(results: StudyResults) -> go.Figure:
    """Return a figure of the hypervolume over time; empty unless it grew after the first trial.

    Pauses of the study are left out.
    """
    title, subtitle = "Hypervolume over time", "a point: a trial that made the front better"
    grown = growth(results)
    if len(grown) < 2:
        return new_figure(title, subtitle)
    end = max(_running_clock(results.trials).values())
    length, unit = time_unit(end)
    figure = new_figure(
        title,
        subtitle,
        xaxis={"title": {"text": f"{unit} in which trials ran"}, "rangemode": "tozero", "nticks": 6},
        yaxis={"title": {"text": "share of the hypervolume"}, "tickformat": "~%", "range": [-0.03, 1.05], "nticks": 6},
        showlegend=False,
    )
    figure.add_scatter(
        name="hypervolume",
        x=[*(rounded(step.seconds / length) for step in grown), rounded(end / length)],
        y=[*(rounded(step.share) for step in grown), 1.0],
        mode="lines+markers",
        line={"color": FRONT_COLOUR, "width": 1.5, "shape": "hv"},
        marker={"size": [6] * len(grown) + [0]},
        customdata=[*(step.number for step in grown), None],
        hovertemplate=f"<b>trial %{{customdata}}</b>, after %{{x:.3~g}} {unit}: %{{y:.1%}}<extra></extra>",
        meta="hypervolume",
    )
    return figure


def growth(results: StudyResults) -> list[Growth]:
    """Return the trials that made the front better, in the order in which they ended; of very many some between them.

    The hypervolume reaches from the worst value of each objective to the front. Costs and errors count by their
    logarithms, as everywhere: half the memory is one gain, wherever it begins.
    """
    clock = _running_clock(results.trials)
    trials = [trial for trial in results.trials if trial.state == "complete" and trial.is_feasible]
    trials = sorted((t for t in trials if t.number in clock and t.values), key=lambda trial: clock[trial.number])
    if not trials:
        return []
    directions = [objective.measure.direction for objective in results.objectives.values()]
    points = _turned(np.array([trial.values for trial in trials], dtype=float), results.objectives)
    known = np.flatnonzero(~np.isnan(points).any(axis=1))
    trials, points = [trials[row] for row in known], points[known]
    worst = [
        column.min() if each == "maximize" else column.max() for column, each in zip(points.T, directions, strict=True)
    ]
    grown = _rows_that_grew(losses(points, directions))
    whole = hypervolume(points[grown], worst, directions)
    found = []
    for place in sorted({round(place) for place in np.linspace(0, len(grown) - 1, min(len(grown), MOST_STEPS))}):
        trial, so_far = trials[grown[place]], points[grown[: place + 1]]
        share = hypervolume(so_far, worst, directions) / whole if whole > 0 else 1.0
        found.append(Growth(trial.number, clock[trial.number], share))
    return found


def _rows_that_grew(points: NDArray[np.float64]) -> list[int]:
    """Return the rows that no earlier one equals or dominates; less is better in every column of `points`."""
    front = points[:0]
    grown = []
    for row, point in enumerate(points):
        if (front <= point).all(axis=1).any():
            continue
        front = np.vstack([front[~(point <= front).all(axis=1)], point])
        grown.append(row)
    return grown


def _turned(values: NDArray[np.float64], objectives: Mapping[Axis, Objective]) -> NDArray[np.float64]:
    """Return costs and errors as logarithms, and R2 as its skill; shares stay as they are."""
    columns = []
    for column, objective in zip(values.T, objectives.values(), strict=True):
        measure = objective.measure
        if measure.unit == "fraction":
            columns.append(column)
        elif measure.direction == "maximize":
            columns.append(np.asarray(skill_scale(measure).skills(column)))
        else:
            least = min((value for value in column if value > 0), default=1.0)
            columns.append(np.log10(np.maximum(column, least)))
    return np.column_stack(columns)


def _running_clock(trials: Sequence[TrialRecord]) -> dict[int, float]:
    """Return when each trial ended, in seconds since the first began, without the time in which none ran."""
    spans = sorted(
        (trial.started_at, trial.ended_at, trial.number)
        for trial in trials
        if trial.started_at is not None and trial.ended_at is not None
    )
    pauses: list[tuple[float, float]] = []  # when each ended, and how long all so far were together
    until, paused = -math.inf, spans[0][0] if spans else 0.0
    for start, end, _ in spans:
        if start > until:
            paused += start - until if math.isfinite(until) else 0.0
            pauses.append((start, paused))
        until = max(until, end)
    starts = np.array([start for start, _ in pauses])
    return {number: end - pauses[int(np.searchsorted(starts, end, "right")) - 1][1] for _, end, number in spans}
