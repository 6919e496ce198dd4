"""The figures of ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from tunefront.reports.figures.colours import COMPLETE_COLOUR, LINE_COLOURS, LINE_SYMBOLS
from tunefront.reports.figures.style import new_figure, shortened
from tunefront.storage.answers import ClassCurve

_LONGEST_NAME = 20
_DASHES = ("solid", "dash", "dot")  # for the second six lines, and the third


@dataclass(frozen=True)
class NamedCurve:
    """A line of the figures: a model's curve of the positive class, or the curve of one of many classes."""

    name: str
    curve: ClassCurve


def roc_figure(curves: Sequence[NamedCurve], title: str) -> go.Figure:
    """Return a figure of ROC curves, with the line of guessing; empty if no curve has points."""
    figure = _square(title, "1 - specificity: taken for it, of the rest", "recall (sensitivity): found")
    drawn = [named for named in curves if named.curve.roc]
    if drawn:
        guessing = {"color": COMPLETE_COLOUR, "width": 1, "dash": "dot"}
        figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=guessing, hoverinfo="skip", showlegend=False)
    for position, named in enumerate(drawn):
        label = f"{shortened(named.name, _LONGEST_NAME)}, AUC {named.curve.auc:.3f}"
        _add_line(figure, position, label, named.curve.roc, "false positives %{x:.1%}, found %{y:.1%}")
    return figure


def precision_recall_figure(curves: Sequence[NamedCurve], title: str) -> go.Figure:
    """Return a figure of precision-recall curves, in steps; empty if no curve has points."""
    figure = _square(title, "recall (sensitivity): found", "precision: right, of those taken for it")
    for position, named in enumerate(named for named in curves if named.curve.precision_recall):
        label = f"{shortened(named.name, _LONGEST_NAME)}, AP {named.curve.average_precision:.3f}"
        _add_line(figure, position, label, named.curve.precision_recall, "found %{x:.1%}, precision %{y:.1%}")
    return figure


def _add_line(figure: go.Figure, position: int, label: str, points: Sequence[Sequence[float]], hover: str) -> None:
    figure.add_scatter(
        name=label,
        x=points[0],
        y=points[1],
        mode="lines+markers",
        line={
            "color": LINE_COLOURS[position % len(LINE_COLOURS)],
            "width": 1.5,
            "dash": _DASHES[position // len(LINE_COLOURS) % len(_DASHES)],
        },
        marker={"symbol": LINE_SYMBOLS[position % len(LINE_SYMBOLS)], "size": 7, "maxdisplayed": 4},
        hovertemplate=f"<b>%{{fullData.name}}</b><br>{hover}<extra></extra>",
    )


def _square(title: str, x: str, y: str) -> go.Figure:
    """Return an empty figure of two shares."""
    axis = {"range": [-0.01, 1.01], "tickformat": "~%", "nticks": 6}
    return new_figure(
        title,
        xaxis={**axis, "title": {"text": x}},
        yaxis={**axis, "title": {"text": y}},
        legend={"traceorder": "normal"},
    )
