"""The figure of a confusion matrix: which classes a model takes for which."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tunefront.reports.figures.style import new_figure, shortened
from tunefront.reports.figures.trial_points import rounded

MOST_CLASSES = 60  # more rows cannot be read
_MOST_NUMBERED = 20  # with more classes, cells are too small for their numbers
_LONGEST_NAME = 18
# Cells without images are left out. The lightest others are light on a dark page too, so that their dark numbers can be
# read on both.
# Mistakes have negative values, so that one trace has both scales: from -1 to 0 for mistakes, from 0 to 1 for hits.
_COLOURS = ((0.0, "#b3403c"), (0.35, "#e8837e"), (0.5, "#fde3e1"), (0.5, "#dfe9ff"), (1.0, "#2f6fed"))


def confusion_matrix(
    matrix: NDArray[np.int64], class_names: Sequence[str], title: str, examples: str = "images"
) -> go.Figure:
    """Return a figure of right classes (rows) and chosen ones (columns); colours are shares of a row.

    Right answers are blue. Mistakes are red and of a scale of their own, on which a few in a hundred can be seen.

    Args:
        matrix: Shape (k, k), numbers of images; empty if there are more than :data:`MOST_CLASSES` classes.
        examples: What is counted: ``images`` or ``rows``.
    """
    figure = new_figure(title)
    n_classes = len(matrix)
    if n_classes > MOST_CLASSES:
        return figure
    figure.add_heatmap(**_cells(matrix, class_names, examples))
    axis = {
        "tickvals": list(range(n_classes)),
        "ticktext": [shortened(name, _LONGEST_NAME) for name in class_names],
        "tickfont": {"size": 12 if n_classes <= _MOST_NUMBERED else 9},
        "range": [-0.5, n_classes - 0.5],
        "showgrid": False,
    }
    figure.update_layout(
        xaxis={**axis, "title": {"text": "taken for"}},
        yaxis={**axis, "title": {"text": "class"}, "range": [n_classes - 0.5, -0.5]},
    )
    return figure


def _cells(matrix: NDArray[np.int64], class_names: Sequence[str], examples: str) -> dict[str, Any]:
    """Return the trace of the cells; those without images are gaps."""
    size = range(len(matrix))

    def of_each(value: Callable[[int, int], Any], gap: Any) -> list[list[Any]]:
        return [[value(i, j) if matrix[i, j] else gap for j in size] for i in size]

    def share(i: int, j: int) -> float:
        return rounded(float(matrix[i, j] / matrix[i].sum())) * (1 if i == j else -1)

    trace: dict[str, Any] = {
        "z": of_each(share, None),
        "zmin": -1,
        "zmax": 1,
        "colorscale": _COLOURS,
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hoverongaps": False,
        "hoverinfo": "text",
        "hovertext": of_each(lambda i, j: _hover(matrix, class_names, i, j, examples), ""),
    }
    if len(matrix) <= _MOST_NUMBERED:
        trace |= {"text": of_each(lambda i, j: str(matrix[i, j]), ""), "texttemplate": "%{text}"}
    return trace


def _hover(matrix: NDArray[np.int64], class_names: Sequence[str], true: int, chosen: int, examples: str) -> str:
    n, total = int(matrix[true, chosen]), int(matrix[true].sum())
    name, other = html.escape(class_names[true]), html.escape(class_names[chosen])
    what = f"{name}, taken for {other}" if true != chosen else f"{name}, rightly so"
    return f"<b>{what}</b><br>{n} of {total} {examples} ({100 * n / total:.1f} %)"
