"""Places for the numbers beside points, so that none covers a point or another number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunefront.reports.printed_figures.style import GREY, NUMBER_SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float]
_NEAREST, _FARTHEST, _STEP = 2.0, 44.0, 2.5  # points (1/72 inch) from a marker's edge to its number
_LED = 10.0  # from so far on, a line leads from a number to its marker
_N_DIRECTIONS = 16
_MARKER = 2.6  # half the side of a marker


@dataclass(frozen=True)
class Box:
    """A rectangle, by its centre and half its sides."""

    x: float
    y: float
    half_width: float
    half_height: float

    def meets(self, other: Box) -> bool:
        """Return whether two rectangles have a common point inside."""
        return (
            abs(self.x - other.x) < self.half_width + other.half_width
            and abs(self.y - other.y) < self.half_height + other.half_height
        )

    def holds(self, other: Box) -> bool:
        """Return whether another rectangle is wholly inside this one."""
        return (
            abs(self.x - other.x) <= self.half_width - other.half_width
            and abs(self.y - other.y) <= self.half_height - other.half_height
        )


def find_places(
    points: Sequence[Point], sizes: Sequence[Point], bounds: Box, others: Sequence[Point] = ()
) -> list[Point | None]:
    """Return the centre of each point's text, the nearest that is free; None where there is no room.

    A text never covers one of `points` or another text. It covers one of `others` only where there is no other place.

    Args:
        sizes: Width and height of each text, all lengths in points.
        bounds: The panel, which texts do not leave.
    """
    markers = [Box(x, y, _MARKER, _MARKER) for x, y in points]
    faint = [Box(x, y, _MARKER / 2, _MARKER / 2) for x, y in others]
    texts: list[Box] = []
    found: list[Point | None] = []
    for point, size in zip(points, sizes, strict=True):
        free = [box for box in _around(point, size) if bounds.holds(box) and not _meets_any(box, markers + texts)]
        chosen = next((box for box in free if not _meets_any(box, faint)), free[0] if free else None)
        texts += [chosen] if chosen else []
        found.append((chosen.x, chosen.y) if chosen else None)
    return found


def _around(point: Point, size: Point) -> Iterator[Box]:
    """Yield the boxes around a point, the nearest first, beginning above it."""
    half_width, half_height = size[0] / 2, size[1] / 2
    for ring in range(math.ceil((_FARTHEST - _NEAREST) / _STEP)):
        gap = _MARKER + _NEAREST + ring * _STEP
        for direction in range(_N_DIRECTIONS):
            angle = math.pi / 2 - 2 * math.pi * direction / _N_DIRECTIONS
            x = point[0] + math.cos(angle) * (gap + half_width)
            yield Box(x, point[1] + math.sin(angle) * (gap + half_height), half_width, half_height)


def _meets_any(box: Box, others: Sequence[Box]) -> bool:
    return any(box.meets(other) for other in others)


def write_numbers(axes: Axes, numbers: Sequence[int], points: Sequence[Point], others: Sequence[Point]) -> list[int]:
    """Write numbers beside their points, both in the panel's units, and return those for which there is no room.

    The panel must have its final size and axes.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    to_points = 72.0 / figure.dpi
    box = axes.get_window_extent()
    middle = ((box.x0 + box.x1) / 2 * to_points, (box.y0 + box.y1) / 2 * to_points)
    bounds = Box(*middle, box.width / 2 * to_points, box.height / 2 * to_points)
    anchors, avoided = ([_in_points(axes, point, to_points) for point in some] for some in (points, others))
    sizes = [_size_of(axes, str(number), to_points) for number in numbers]
    left_out = []
    for number, point, anchor, place in zip(
        numbers, points, anchors, find_places(anchors, sizes, bounds, avoided), strict=True
    ):
        if place is None:
            left_out.append(number)
            continue
        offset = (place[0] - anchor[0], place[1] - anchor[1])
        # A line also tells whose number it is where another marker is nearer.
        is_led = math.dist(place, anchor) > min(_LED, *(math.dist(place, other) for other in anchors))
        written = axes.annotate(
            str(number),
            point,
            offset,
            textcoords="offset points",
            ha="center",
            va="center_baseline",
            fontsize=NUMBER_SIZE,
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": GREY, "shrinkB": _MARKER} if is_led else None,
        )
        written.set_in_layout(False)  # numbers have found their places in this layout
    return left_out


def _in_points(axes: Axes, point: Point, to_points: float) -> Point:
    x, y = axes.transData.transform(point)
    return float(x) * to_points, float(y) * to_points


def _size_of(axes: Axes, text: str, to_points: float) -> Point:
    probe = axes.text(0, 0, text, fontsize=NUMBER_SIZE)
    extent = probe.get_window_extent()
    probe.remove()
    return extent.width * to_points, extent.height * to_points
