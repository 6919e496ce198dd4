"""Labels beside points: where each has room, so that no text lies on another one or on a point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

# A figure on a phone, in pixels without axes. What has room here has room on every wider screen.
_WIDTH, _HEIGHT = 230.0, 260.0
_LETTER, _LINE = 7.5, 13.0
_RADIUS = 7.0  # of a point with its outline
# Positions by plotly's names, the best first, and the way from the point to the middle of the label.
_WAYS: Mapping[str, tuple[int, int]] = {
    "top center": (0, 1),
    "middle left": (-1, 0),
    "bottom center": (0, -1),
    "middle right": (1, 0),
    "top left": (-1, 1),
    "top right": (1, 1),
    "bottom left": (-1, -1),
    "bottom right": (1, -1),
}


@dataclass(frozen=True)
class _Box:
    left: float
    right: float
    bottom: float
    top: float

    def meets(self, other: _Box) -> bool:
        is_beside = self.right <= other.left or other.right <= self.left
        return not (is_beside or self.top <= other.bottom or other.top <= self.bottom)


def place_labels(
    points: Sequence[tuple[float, float]], labels: Mapping[int, str], ranges: Sequence[Sequence[float]]
) -> dict[int, str]:
    """Return a position for each label that has room; the others stay without one.

    Args:
        points: All drawn points, in the units of `ranges`.
        labels: Texts by the index of their point, the most important first.
        ranges: The ends of both axes.
    """
    ways = [(_pixel(x, ranges[0], _WIDTH), _pixel(y, ranges[1], _HEIGHT)) for x, y in points]
    taken = [_around(*way, _RADIUS, _RADIUS) for way in ways]
    placed: dict[int, str] = {}
    for index, text in labels.items():
        half_width, half_height = len(text) * _LETTER / 2, _LINE / 2
        for position, (across, up) in _WAYS.items():
            x, y = ways[index]
            box = _around(
                x + across * (_RADIUS + half_width), y + up * (_RADIUS + half_height), half_width, half_height
            )
            inside = box.left >= 0 and box.right <= _WIDTH and box.bottom >= 0 and box.top <= _HEIGHT
            if inside and not any(box.meets(other) for other in taken):
                placed[index] = position
                taken.append(box)
                break
    return placed


def label_points(figure: go.Figure, traces: Sequence[Any], texts: Mapping[Any, str]) -> None:
    """Label points of some of a figure's traces where there is room. The figure's axes need ranges.

    Args:
        texts: Labels by what their points have as `customdata`, the most important first.
    """
    axes = (figure.layout.xaxis, figure.layout.yaxis)
    is_log = [axis.type == "log" for axis in axes]
    drawn = [*traces, *(t for t in figure.data if t not in traces and "markers" in (t.mode or "") and _is_shown(t))]
    points = [
        (math.log10(x) if is_log[0] else x, math.log10(y) if is_log[1] else y)
        for trace in drawn
        for x, y in zip(trace.x, trace.y, strict=True)
    ]
    known = [point for trace in traces for point in trace.customdata]
    labels = {known.index(point): text for point, text in texts.items() if point in known}
    placed = place_labels(points, labels, [axis.range for axis in axes]) if labels else {}
    start = 0
    for trace in traces:
        own = {index - start: position for index, position in placed.items() if 0 <= index - start < len(trace.x)}
        shown = {index: labels[index + start] for index in own}
        mode = trace.mode.removesuffix("+text") + ("+text" if own else "")
        trace.update(mode=mode, **label_texts(len(trace.x), shown, own))
        start += len(trace.x)


def label_texts(n_points: int, labels: Mapping[int, str], placed: Mapping[int, str]) -> dict[str, Any]:
    """Return the settings of a scatter trace with these labels; empty texts where there are none."""
    if not placed:
        return {}
    return {
        "text": [labels[index] if index in placed else "" for index in range(n_points)],
        "textposition": [placed.get(index, "top center") for index in range(n_points)],
        "textfont": {"size": 12},
        "cliponaxis": False,
    }


def on_scale(value: float, axis: Any) -> float:
    """Return a value as the range of a plotly axis counts it."""
    return math.log10(value) if axis.type == "log" else value


def _is_shown(trace: Any) -> bool:
    return trace.visible in (None, True)


def _pixel(value: float, ends: Sequence[float], size: float) -> float:
    return size * (value - ends[0]) / (ends[1] - ends[0])


def _around(x: float, y: float, half_width: float, half_height: float) -> _Box:
    return _Box(x - half_width, x + half_width, y - half_height, y + half_height)
