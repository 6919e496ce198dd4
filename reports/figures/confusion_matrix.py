"""The figure of a confusion matrix: which classes a model takes for which."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tunefront.reports.figures.colours import blend, text_colour_on
from tunefront.reports.figures.style import new_figure, shortened

MOST_CLASSES = 60  # more rows cannot be read
_MOST_NUMBERED = 20  # with more classes, cells are too small for their numbers
_MOST_LARGE = 10  # with more classes, names on a phone would lie on each other
_LONGEST_NAME = 18
_CELL = 0.94  # the side of a cell: the rest is the gap between two
# Mistakes have a scale of their own, on which a few in a hundred can be seen.
_HIT_COLOURS = ("#dfe9ff", "#1f5fd6")
_MISTAKE_COLOURS = ("#fde3e1", "#e8837e", "#b3403c")
_CLEARLY_SEEN = 0.3  # the share of mistakes that has the middle colour


def confusion_matrix(
    matrix: NDArray[np.int64], class_names: Sequence[str], title: str, examples: str = "images"
) -> go.Figure:
    """Return a figure of right classes (rows) and chosen ones (columns); colours are shares of a row.

    Right answers are blue, mistakes red; cells without images are left out. Each cell is a bar, because the bundle of
    plotly.js that reports carry draws no heat maps.

    Args:
        matrix: Shape (k, k), numbers of images; empty if there are more than :data:`MOST_CLASSES` classes.
        examples: What is counted: ``images`` or ``rows``.
    """
    n_classes = len(matrix)
    if n_classes > MOST_CLASSES:
        return new_figure(title)
    axis = {
        "tickvals": list(range(n_classes)),
        "ticktext": [shortened(name, _LONGEST_NAME) for name in class_names],
        "tickfont": {"size": 12 if n_classes <= _MOST_LARGE else 9},
        "showgrid": False,
    }
    figure = new_figure(
        title,
        xaxis={**axis, "title": {"text": "taken for"}, "range": [-0.5, n_classes - 0.5], "autotickangles": [0, 90]},
        yaxis={**axis, "title": {"text": "class"}, "range": [n_classes - 0.5, -0.5]},
        showlegend=False,
        uniformtext={"minsize": 8, "mode": "hide"},  # numbers that would be smaller, on a phone, are left to pointing
    )
    _add_cells(figure, matrix, class_names, examples)
    return figure


def _add_cells(figure: go.Figure, matrix: NDArray[np.int64], class_names: Sequence[str], examples: str) -> None:
    cells = [(int(true), int(chosen)) for true, chosen in np.argwhere(matrix)]
    colours = [_colour(matrix, *cell) for cell in cells]
    is_numbered = len(matrix) <= _MOST_NUMBERED
    figure.add_bar(
        orientation="h",
        base=[chosen - _CELL / 2 for _, chosen in cells],
        x=[_CELL] * len(cells),
        y=[true for true, _ in cells],
        width=_CELL,
        marker={"color": colours, "line": {"width": 0}},
        text=[str(matrix[cell]) for cell in cells] if is_numbered else None,
        textposition="inside" if is_numbered else "none",
        insidetextanchor="middle",
        textangle=0,
        insidetextfont={"color": [text_colour_on(colour) for colour in colours]} if is_numbered else None,
        hovertext=[_hover(matrix, class_names, *cell, examples) for cell in cells],
        hoverinfo="text",
    )


def _colour(matrix: NDArray[np.int64], true: int, chosen: int) -> str:
    share = float(matrix[true, chosen] / matrix[true].sum())
    if true == chosen:
        return blend(_HIT_COLOURS, share)
    if share < _CLEARLY_SEEN:
        return blend(_MISTAKE_COLOURS[:2], share / _CLEARLY_SEEN)
    return blend(_MISTAKE_COLOURS[1:], (share - _CLEARLY_SEEN) / (1 - _CLEARLY_SEEN))


def _hover(matrix: NDArray[np.int64], class_names: Sequence[str], true: int, chosen: int, examples: str) -> str:
    n, total = int(matrix[true, chosen]), int(matrix[true].sum())
    name, other = html.escape(class_names[true]), html.escape(class_names[chosen])
    what = f"{name}, taken for {other}" if true != chosen else f"{name}, rightly so"
    return f"<b>{what}</b><br>{n} of {total} {examples} ({100 * n / total:.1f} %)"
