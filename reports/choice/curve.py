"""A trial's score by epoch as a small picture, which needs no script and prints."""

from __future__ import annotations

import math

from markupsafe import Markup

from tunefront.objectives.measures import Measure
from tunefront.objectives.quantities import format_quantity
from tunefront.storage.trials import TrialRecord

_WIDTH, _HEIGHT = 260, 96
_LEFT, _RIGHT, _TOP, _BOTTOM = 4, 256, 8, 76
_MOST_POINTS = 120


def curve_picture(trial: TrialRecord, measure: Measure) -> Markup:
    """Return an SVG of the trial's validation scores, a dot at the epoch that is kept; empty with fewer than two."""
    known = [(epoch.epoch, epoch.accuracy) for epoch in trial.epochs if not math.isnan(epoch.accuracy)]
    if len(known) < 2:
        return Markup()
    kept = trial.measurements.get("best_epoch")
    every = math.ceil(len(known) / _MOST_POINTS)
    shown = [point for position, point in enumerate(known) if position % every == 0 or point[0] == kept]
    low, high = min(score for _, score in known), max(score for _, score in known)
    first, last = known[0][0], known[-1][0]

    def place(epoch: int, score: float) -> tuple[float, float]:
        x = _LEFT + (_RIGHT - _LEFT) * (epoch - first) / max(last - first, 1)
        y = _BOTTOM - (_BOTTOM - _TOP) * ((score - low) / (high - low) if high > low else 0.5)
        return x, y

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in shown))
    dots = [place(*point) for point in known if point[0] == kept]
    dot = Markup().join(Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3.5"/>').format(*found) for found in dots)
    said = (
        f"{measure.title} by epoch, from {format_quantity(known[0][1], measure.unit)} to "
        f"{format_quantity(known[-1][1], measure.unit)}"
    )
    return Markup(
        '<svg class="curve" viewBox="0 0 {} {}" role="img" aria-label="{}"><polyline points="{}"/>{}'
        '<text x="{}" y="92">epoch {}</text><text x="{}" y="92" text-anchor="end">{}</text></svg>'
    ).format(_WIDTH, _HEIGHT, said, line, dot, _LEFT, first, _RIGHT, last)
