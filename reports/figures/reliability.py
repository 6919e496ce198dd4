"""The reliability diagram: how often a model is right when it is so sure."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from tunefront.reports.figures.colours import COMPLETE_COLOUR, FRONT_COLOUR
from tunefront.reports.figures.style import new_figure

Point = tuple[float, float, float, float, int]  # confidence, share of right answers, its lower and upper end, answers


def reliability_figure(points: Sequence[Point], title: str) -> go.Figure:
    """Return a figure of the share of right answers over their mean confidence, with the line of true probabilities.

    Bars are the intervals of the shares. Below the line a model is more sure than it should be. Empty without points.
    """
    if not points:
        return new_figure(title)
    # Confidences are at least 1 / k, and mostly high: the axes begin where there is something to see.
    least = max(0.0, min(min(confidence, low) for confidence, _, low, _, _ in points) - 0.02)
    axis = {"range": [least, 1.02], "tickformat": "~%", "nticks": 6}
    figure = new_figure(
        title,
        xaxis={**axis, "title": {"text": "confidence: mean probability of the chosen class"}},
        yaxis={**axis, "title": {"text": "answers that are right"}},
    )
    perfect = {"color": COMPLETE_COLOUR, "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=perfect, hoverinfo="skip", showlegend=False)
    confidences, shares, lows, highs, counts = zip(*points, strict=True)
    figure.add_scatter(
        x=[round(value, 4) for value in confidences],
        y=[round(value, 4) for value in shares],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [round(high - share, 4) for share, high in zip(shares, highs, strict=True)],
            "arrayminus": [round(share - low, 4) for share, low in zip(shares, lows, strict=True)],
            "width": 3,
            "thickness": 1,
        },
        mode="lines+markers",
        line={"color": FRONT_COLOUR, "width": 1},
        marker={"color": FRONT_COLOUR, "size": 7},
        customdata=counts,
        hovertemplate="sure by %{x:.1%}, right %{y:.1%}<br>of %{customdata} answers<extra></extra>",
        showlegend=False,
    )
    return figure
