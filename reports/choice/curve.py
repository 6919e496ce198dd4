"""A trial's score by epoch as a small picture, which needs no script and prints."""

from __future__ import annotations

import math

from markupsafe import Markup

from tunefront.objectives.measures import Measure
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.words import value_name
from tunefront.storage.trials import TrialRecord

_WIDTH, _HEIGHT = 320, 132
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 312, 26, 100
_MOST_POINTS = 120


def curve_picture(trial: TrialRecord, measure: Measure) -> Markup:
    """Return an SVG of the trial's validation scores with its axes, a dot at the epoch that is kept.

    Empty with fewer than two epochs.
    """
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
    ends = [format_quantity(score, measure.unit) for score in (known[0][1], known[-1][1])]
    frame = Markup('<path class="axes" d="M{0} {1}V{2}H{3}"/>').format(_LEFT, _TOP, _BOTTOM, _RIGHT)
    heights = [high, low] if high > low else [high]
    texts = [
        *((_LEFT - 5, place(first, score)[1] + 4, "end", format_quantity(score, measure.unit)) for score in heights),
        (_LEFT, _BOTTOM + 15, "start", f"{first}"),
        (_RIGHT, _BOTTOM + 15, "end", f"{last}"),
        ((_LEFT + _RIGHT) / 2, _BOTTOM + 29, "middle", "epoch"),
        (0, 12, "start", f"{value_name(measure)} on validation"),
    ]
    drawn = Markup().join(
        Markup('<text x="{:.0f}" y="{:.0f}" text-anchor="{}">{}</text>').format(*each) for each in texts
    )
    return Markup(
        '<svg class="curve" viewBox="0 0 {} {}" role="img" aria-label="{}">{}<polyline points="{}"/>{}{}</svg>'
    ).format(_WIDTH, _HEIGHT, f"{measure.title} by epoch, from {ends[0]} to {ends[1]}", frame, line, dot, drawn)
