"""The figure of losses: training and validation by epoch, of the front, to see which models learn by heart."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from tunefront.reports.figures.colours import LINE_COLOURS, LINE_SYMBOLS
from tunefront.reports.figures.style import new_figure
from tunefront.reports.figures.trial_points import rounded
from tunefront.reports.study_results import StudyResults

_LINES = {"val_loss": ("validation", "solid"), "loss": ("training", "dash")}


def loss_curves(results: StudyResults) -> go.Figure:
    """Return a figure of the losses of the front's best trials by score, a colour for each; empty without any.

    More pairs of lines than there are colours cannot be told apart.

    Training's loss is of augmented images, with label smoothing, class weights and penalties, and is the mean over an
    epoch in which the weights changed. Validation's is the plain cross-entropy after the epoch, or the loss of the
    predicted numbers. A validation loss that
    rises while training's falls is overfitting.
    """
    trained = [trial for trial in results.front if any("val_loss" in epoch.metrics for epoch in trial.epochs)]
    most = "most accurate" if results.task == "classification" else f"of the best {results.measure('accuracy').name}"
    more = f", {len(LINE_COLOURS)} {most}" if len(trained) > len(LINE_COLOURS) else ""
    n_epochs = max((len(trial.epochs) for trial in trained), default=1)
    figure = new_figure(
        f"Loss by epoch{more}",
        xaxis={"title": {"text": "epoch"}, "dtick": max(math.ceil(n_epochs / 6), 1)},
        yaxis={"title": {"text": "loss (dashed: training)"}, "rangemode": "tozero", "nticks": 6},
        legend={"traceorder": "normal"},
    )
    for trial, colour, symbol in zip(trained, LINE_COLOURS, LINE_SYMBOLS, strict=False):
        for metric, (name, dash) in _LINES.items():
            epochs = [epoch for epoch in trial.epochs if metric in epoch.metrics]
            figure.add_scatter(
                name=f"trial {trial.number}",
                legendgroup=str(trial.number),
                showlegend=metric == "val_loss",
                x=[epoch.epoch for epoch in epochs],
                y=[rounded(epoch.metrics[metric]) for epoch in epochs],
                mode="lines+markers" if metric == "val_loss" else "lines",
                line={"color": colour, "width": 1.5, "dash": dash},
                marker={"symbol": symbol, "size": 7, "maxdisplayed": 4},
                hovertemplate=f"<b>trial {trial.number}</b>, {name}, epoch %{{x}}: %{{y:.3g}}<extra></extra>",
                meta="front",
                customdata=[trial.number] * len(epochs),
            )
    return figure
