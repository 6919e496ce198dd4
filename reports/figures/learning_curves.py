"""The figure of learning curves: the score by epoch, with the front highlighted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from tunefront.reports.figures.style import (
    COMPLETE_COLOUR,
    FRONT_COLOUR,
    PRUNED_COLOUR,
    measure_axis,
    new_figure,
    say_in_the_middle,
)
from tunefront.reports.figures.trial_points import rounded
from tunefront.reports.sentences.summary import axis_title
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

_MAX_LABELS = 20


def learning_curves(results: StudyResults) -> go.Figure:
    """Return a figure of validation scores by epoch; dots mark the epochs from which the front's weights are."""
    trained = [trial for trial in results.trials if trial.epochs]
    n_epochs = max((len(trial.epochs) for trial in trained), default=1)
    figure = new_figure(f"{results.axis_name('accuracy').capitalize()} by epoch")
    scores = [epoch.accuracy for trial in trained for epoch in trial.epochs]
    figure.update_layout(
        xaxis={"title": {"text": "epoch"}, "dtick": math.ceil(n_epochs / 12)},
        yaxis=measure_axis(results.measure("accuracy"), axis_title(results, "accuracy"), scores),
    )
    beaten = [trial for trial in trained if trial.number not in results.front_numbers]
    # A waiting trial has epochs if an attempt at it was interrupted.
    for state in ("failed", "waiting", "pruned", "running", "complete"):
        colour = COMPLETE_COLOUR if state == "complete" else PRUNED_COLOUR
        _add_thin(figure, state, [trial for trial in beaten if trial.state == state], colour)
    _add_front(figure, results)
    if not figure.data:
        say_in_the_middle(figure, "no epoch trained yet")
    return figure


def _add_thin(figure: go.Figure, name: str, trials: Sequence[TrialRecord], colour: str) -> None:
    """Add all curves in one trace with gaps between them, because hundreds of traces would make the page slow."""
    if not trials:
        return
    x: list[int | None] = []
    y: list[float | None] = []
    for trial in trials:
        x += [*(epoch.epoch for epoch in trial.epochs), None]
        y += [*(rounded(epoch.accuracy) for epoch in trial.epochs), None]
    figure.add_scatter(
        name=f"{name} ({len(trials)})",
        x=x,
        y=y,
        mode="lines",
        line={"color": colour, "width": 1},
        opacity=0.6 if len(trials) <= 60 else 0.3,
        hoverinfo="skip",
        meta=name,
    )


def _add_front(figure: go.Figure, results: StudyResults) -> None:
    front = [trial for trial in results.front if trial.epochs]
    shown = "%{y:.2%}" if results.measure("accuracy").unit == "fraction" else "%{y:.4~r}"
    for trial in front:
        figure.add_scatter(
            name=f"on the front ({len(front)}), dot: weights kept",
            legendgroup="front",
            showlegend=trial is front[0],
            x=[epoch.epoch for epoch in trial.epochs],
            y=[rounded(epoch.accuracy) for epoch in trial.epochs],
            line={"color": FRONT_COLOUR, "width": 1.5},
            opacity=0.85,
            hovertemplate=f"<b>trial {trial.number}</b>, epoch %{{x}}: {shown}<extra></extra>",
            meta="front",
            customdata=[trial.number] * len(trial.epochs),
            **_mark_kept_epoch(trial, is_labelled=len(front) <= _MAX_LABELS),
        )


def _mark_kept_epoch(trial: TrialRecord, *, is_labelled: bool) -> dict[str, Any]:
    is_kept = [epoch.epoch == trial.measurements.get("best_epoch") for epoch in trial.epochs]
    return {
        "mode": "lines+markers+text" if is_labelled else "lines+markers",
        "marker": {"size": [8 if kept else 0 for kept in is_kept]},
        "text": [str(trial.number) if kept else "" for kept in is_kept],
        "textposition": "top center",
        "textfont": {"size": 10},
        "cliponaxis": False,
    }
