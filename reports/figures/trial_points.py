"""Trials as the points of a figure: the kinds that look alike, and the labels shown when pointing at one."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunefront.objectives.measures import AXES, Axis
from tunefront.reports.figures.style import BROKEN_COLOUR, COMPLETE_COLOUR, FRONT_COLOUR, PRUNED_COLOUR
from tunefront.reports.parameters import Parameters
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

_MAX_LABELS = 20  # more numbers beside points would cover each other
_MANY_TRIALS = 300  # with this many trials or more, points are smaller


@dataclass(frozen=True)
class Kind:
    """A kind of trials, which look alike.

    Attributes:
        key: The kind's key for programs: ``front``, ``complete``, ``infeasible`` or ``pruned``.
        name: The kind's name in the legend.
    """

    key: str
    name: str
    trials: Sequence[TrialRecord]
    marker: Mapping[str, Any]


def kinds(results: StudyResults) -> Iterator[Kind]:
    """Yield the kinds that have trials, the most important last, because the last one is drawn on top."""
    complete = [trial for trial in results.trials if trial.state == "complete"]
    is_small = len(results.trials) <= _MANY_TRIALS
    beaten = [trial for trial in complete if trial.is_feasible and trial.number not in results.front_numbers]
    found = (
        Kind(
            "pruned", "pruned", [trial for trial in results.trials if trial.state == "pruned"],
            {"symbol": "x-thin", "size": 6, "line": {"color": PRUNED_COLOUR, "width": 1.5}},
        ),
        Kind(
            "infeasible", "breaks a limit", [trial for trial in complete if not trial.is_feasible],
            {"symbol": "diamond-open", "size": 8, "color": BROKEN_COLOUR, "line": {"width": 1.5}},
        ),
        Kind("complete", "complete", beaten, {"size": 7 if is_small else 5, "color": COMPLETE_COLOUR, "opacity": 0.8}),
        Kind(
            "front", "on the front", results.front,
            {"size": 11 if is_small else 8, "color": FRONT_COLOUR, "line": {"color": "white", "width": 1.5}},
        ),
    )  # fmt: skip
    return (kind for kind in found if kind.trials)


def points(results: StudyResults, kind: Kind, x: Axis, y: Axis, parameters: Parameters) -> dict[str, Any]:
    """Return a scatter trace of the trials with a value on both axes; its name counts all trials of the kind."""
    drawn = [t for t in kind.trials if not math.isnan(results.value(t, x) + results.value(t, y))]
    count = len(drawn) if len(drawn) == len(kind.trials) else f"{len(drawn)} of {len(kind.trials)}"
    trace = {
        "name": f"{kind.name} ({count})",
        "x": [rounded(results.value(trial, x)) for trial in drawn],
        "y": [rounded(results.value(trial, y)) for trial in drawn],
        "mode": "markers",
        "marker": dict(kind.marker),
        "customdata": [trial.number for trial in drawn],
        "meta": kind.key,
        "hovertext": [_hover(results, trial, kind, parameters) for trial in drawn],
        "hoverinfo": "text",
    }
    if kind.key == "front" and len(drawn) <= _MAX_LABELS:
        numbers = [str(trial.number) for trial in drawn]
        trace |= {"mode": "markers+text", "text": numbers, "textposition": "top center", "textfont": {"size": 10}}
    return trace


def rounded(value: float) -> float:
    """Round to four digits, which is finer than a pixel and keeps a report of many trials small."""
    return float(f"{value:.4g}")


def _hover(results: StudyResults, trial: TrialRecord, kind: Kind, parameters: Parameters) -> str:
    values = ", ".join(f"{results.axis_name(axis)} {results.show(trial, axis)}" for axis in AXES)
    named_values = (part.replace(" ", "\N{NO-BREAK SPACE}") for part in parameters.summary(trial).split(", "))
    lines = textwrap.wrap(", ".join(named_values), 60)
    # Plotly interprets some HTML tags in labels, so names that users chose are escaped.
    what = f"{kind.name}, no better than guessing" if results.is_guessing(trial) else kind.name
    return "<br>".join([f"<b>trial {trial.number}</b>, {what}", values, *(html.escape(line) for line in lines)])
