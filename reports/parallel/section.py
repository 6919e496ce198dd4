"""The part of the page with parallel coordinates: its lines as SVG, and the data by which ranges narrow them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from tunefront.reports.parallel.axes import ParallelAxis, parallel_axes
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

MOST_LINES = 300
_TOP, _BOTTOM, _HEIGHT = 56, 308, 340
_LEAST_STEP, _MOST_STEP, _ROOM = 116, 190, 1300  # pixels between two axes, and in all where a window has them
_LETTER = 7.4  # pixels of a letter


def parallel_context(results: StudyResults) -> dict[str, Any]:
    """Return the variables of ``section.html.j2``; ``parallel`` is None with fewer than three trials or two axes."""
    trials = drawn_trials(results)
    axes = parallel_axes(results, trials) if len(trials) > 2 else []
    if len(axes) < 2:
        return {"parallel": None}
    data = {
        "numbers": [trial.number for trial in trials],
        "axes": [
            {
                "name": axis.name,
                "stops": [[round(place, 4), text] for place, text in axis.stops],
                "places": [round(place, 4) for place in axis.places],
            }
            for axis in axes
        ],
    }
    n_complete = results.counts["complete"]
    return {
        "parallel": _picture(results, trials, axes),
        "parallel_count": f"{len(trials)} of {n_complete}" if len(trials) < n_complete else f"all {n_complete}",
        "parallel_data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        "parallel_width": _width(axes),
    }


def drawn_trials(results: StudyResults) -> list[TrialRecord]:
    """Return the complete trials, of very many the best of the front and some of the others, the front last."""
    front = results.front[:MOST_LINES]
    others = [
        trial for trial in results.trials if trial.state == "complete" and trial.number not in results.front_numbers
    ]
    n_others = min(len(others), MOST_LINES - len(front))
    chosen = [others[round(place * len(others) / n_others)] for place in range(n_others)] if n_others else []
    return [*chosen, *reversed(front)]


def _picture(results: StudyResults, trials: Sequence[TrialRecord], axes: Sequence[ParallelAxis]) -> Markup:
    step, lefts = _step(axes), _lefts(axes)
    lines = Markup().join(
        Markup('<polyline data-trial="{}"{} points="{}"><title>trial {}</title></polyline>').format(
            trial.number,
            Markup(' class="on-front"') if trial.number in results.front_numbers else "",
            " ".join(f"{left:.0f},{_height(axis.places[row]):.1f}" for left, axis in zip(lefts, axes, strict=True)),
            trial.number,
        )
        for row, trial in enumerate(trials)
    )
    drawn = Markup().join(
        _axis(axis, position, left, step) for position, (axis, left) in enumerate(zip(axes, lefts, strict=True))
    )
    return Markup('<g class="lines">{}</g>{}').format(lines, drawn)


def _axis(axis: ParallelAxis, position: int, left: float, step: float) -> Markup:
    texts = Markup().join(
        Markup('<text x="{:.0f}" y="{:.0f}">{}</text>').format(
            left + 9, _height(place) + 4, _shortened(text, step - 20)
        )
        for place, text in axis.shown
    )
    name = Markup('<text class="name" x="{:.0f}" y="18"><title>{}</title>{}</text>').format(
        left - 7, axis.name, _shortened(axis.name, step - 12)
    )
    handles = Markup().join(
        Markup(
            '<path class="handle" tabindex="0" role="slider" data-end="{}" aria-orientation="vertical" '
            'aria-label="{}, {}" aria-valuemin="0" aria-valuemax="{}" aria-valuenow="{}" aria-valuetext="{}" d="{}"/>'
        ).format(
            end,
            axis.name,
            "from" if end == "low" else "to",
            len(axis.stops) - 1,
            0 if end == "low" else len(axis.stops) - 1,
            axis.stops[0 if end == "low" else -1][1],
            "M-8 12H8L0 0Z" if end == "low" else "M-8 -12H8L0 0Z",
        )
        for end in ("low", "high")
    )
    line = Markup('<line x1="{0:.0f}" x2="{0:.0f}" y1="{1}" y2="{2}"/>').format(left, _TOP, _BOTTOM)
    reach = Markup('<rect class="reach" x="{:.0f}" width="18" y="{}" height="{}"/>').format(
        left - 9, _TOP, _BOTTOM - _TOP
    )
    return Markup('<g class="axis" data-axis="{}" data-left="{:.0f}">{}{}{}{}{}</g>').format(
        position, left, line, name, texts, reach, handles
    )


def _step(axes: Sequence[ParallelAxis]) -> float:
    return min(max(_ROOM / len(axes), _LEAST_STEP), _MOST_STEP)


def _lefts(axes: Sequence[ParallelAxis]) -> list[float]:
    return [14 + position * _step(axes) for position in range(len(axes))]


def _width(axes: Sequence[ParallelAxis]) -> int:
    return round(_lefts(axes)[-1] + _step(axes))


def _height(place: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * place


def _shortened(text: str, room: float) -> str:
    n_letters = int(room / _LETTER)
    return text if len(text) <= n_letters else f"{text[: n_letters - 1]}\N{HORIZONTAL ELLIPSIS}"
