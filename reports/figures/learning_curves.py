"""The figure of learning curves: the score by epoch, of the front one by one and of the others as a band."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from tunefront.reports.figures.axes import measure_axis
from tunefront.reports.figures.colours import COMPLETE_COLOUR, FRONT_COLOUR, see_through
from tunefront.reports.figures.labels import label_texts, place_labels
from tunefront.reports.figures.style import new_figure, say_in_the_middle
from tunefront.reports.figures.trial_points import count_drawn, rounded
from tunefront.reports.sentences.summary import axis_title
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

_MOST_CURVES = 40  # of the front, which are drawn one by one


def learning_curves(results: StudyResults) -> go.Figure:
    """Return a figure of validation scores by epoch; dots mark the epochs from which the front's weights are.

    Of the other trials that came so far, bands show all and the middle half at each epoch.
    """
    trained = [trial for trial in results.trials if trial.epochs]
    n_epochs = max((len(trial.epochs) for trial in trained), default=1)
    subtitle = "bands: other trials, and their middle half" if trained else ""
    scores = [epoch.accuracy for trial in trained for epoch in trial.epochs]
    figure = new_figure(
        f"{results.axis_name('accuracy').capitalize()} by epoch",
        subtitle,
        xaxis={"title": {"text": "epoch"}, "dtick": max(math.ceil(n_epochs / 6), 1), "range": [0.5, n_epochs + 0.5]},
        yaxis=measure_axis(results.measure("accuracy"), axis_title(results, "accuracy"), scores),
    )
    _add_bands(figure, [trial for trial in trained if trial.number not in results.front_numbers])
    _add_front(figure, results)
    if not figure.data:
        say_in_the_middle(figure, "no epoch trained yet")
    return figure


def _add_bands(figure: go.Figure, trials: Sequence[TrialRecord]) -> None:
    """Add a band of all scores at each epoch, and a darker one from the first to the third quartile."""
    by_epoch: dict[int, list[float]] = {}
    for trial in trials:
        for epoch in trial.epochs:
            if math.isfinite(epoch.accuracy):
                by_epoch.setdefault(epoch.epoch, []).append(epoch.accuracy)
    epochs = sorted(by_epoch)
    if not epochs:
        return
    bands = (("all others", (0, 100), 0.08, "dot"), ("middle half of the others", (25, 75), 0.15, "dash"))
    for name, (low, high), opacity, dash in bands:
        ends = [np.percentile(by_epoch[epoch], (low, high)) for epoch in epochs]
        bottom, top = ([rounded(float(end[side])) for end in ends] for side in (0, 1))
        figure.add_scatter(
            name=f"{name} ({len(trials)})",
            x=[*epochs, *reversed(epochs)],
            y=[*top, *reversed(bottom)],
            mode="lines",
            fill="toself",
            fillcolor=see_through(COMPLETE_COLOUR, opacity),
            line={"color": COMPLETE_COLOUR, "width": 1, "dash": dash},
            hoverinfo="skip",
            meta="complete",
        )


def _add_front(figure: go.Figure, results: StudyResults) -> None:
    trained = [trial for trial in results.front if trial.epochs]
    extremes = {best.number for axis in results.objectives if (best := results.best(axis)) is not None}
    front = [trial for place, trial in enumerate(trained) if place < _MOST_CURVES or trial.number in extremes]
    name = f"on the front ({count_drawn(len(front), len(results.front))}), dot: weights kept"
    shown = "%{y:.2%}" if results.measure("accuracy").unit == "fraction" else "%{y:.4~r}"
    positions = _label_positions(figure, front, extremes)
    for trial in front:
        is_kept = [epoch.epoch == trial.measurements.get("best_epoch") for epoch in trial.epochs]
        at_dot = {place: str(trial.number) for place, kept in enumerate(is_kept) if kept and trial.number in positions}
        figure.add_scatter(
            name=name,
            legendgroup="front",
            showlegend=trial is front[0],
            x=[epoch.epoch for epoch in trial.epochs],
            y=[rounded(epoch.accuracy) for epoch in trial.epochs],
            line={"color": see_through(FRONT_COLOUR, 0.85), "width": 1.5},
            marker={"size": [8 if each else 0 for each in is_kept], "color": FRONT_COLOUR},
            hovertemplate=f"<b>trial {trial.number}</b>, epoch %{{x}}: {shown}<extra></extra>",
            meta="front",
            customdata=[trial.number] * len(trial.epochs),
            mode="lines+markers+text" if at_dot else "lines+markers",
            **label_texts(len(trial.epochs), at_dot, dict.fromkeys(at_dot, positions.get(trial.number, ""))),
        )


def _label_positions(figure: go.Figure, front: Sequence[TrialRecord], extremes: set[int]) -> dict[int, str]:
    """Return where the label of an extreme trial has room at its dot, by the trials' numbers."""
    dots = [
        (trial.number, epoch.epoch, epoch.accuracy)
        for trial in front
        for epoch in trial.epochs
        if epoch.epoch == trial.measurements.get("best_epoch")
    ]
    axis = figure.layout.yaxis
    if axis.range is None:
        return {}
    heights = [math.log10(score) if axis.type == "log" else score for _, _, score in dots]
    ways = [(float(epoch), height) for (_, epoch, _), height in zip(dots, heights, strict=True)]
    labels = {place: str(number) for place, (number, _, _) in enumerate(dots) if number in extremes}
    placed = place_labels(ways, labels, [figure.layout.xaxis.range, axis.range])
    return {dots[place][0]: position for place, position in placed.items()}
