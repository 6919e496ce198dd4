"""Trials as the points of a figure: the kinds that look alike, and the labels shown when pointing at one."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.measures import AXES, Axis, Measure
from tunefront.objectives.skill import skill_scale
from tunefront.reports.figures.colours import BROKEN_COLOUR, COMPLETE_COLOUR, FRONT_COLOUR, PRUNED_COLOUR
from tunefront.reports.parameters import Parameters
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

MANY_TRIALS = 300  # with more trials, points are smaller, and tell less when pointed at
MOST_POINTS = 1000  # of a kind that are drawn in a figure
_GRIDS = ((160, 120), (120, 90), (90, 66), (66, 48), (48, 36), (36, 27), (30, 22))  # the last has fewer cells than that


@dataclass(frozen=True)
class Kind:
    """A kind of trials, which look alike.

    Attributes:
        key: The kind's key for programs: ``front``, ``complete``, ``infeasible`` or ``pruned``.
        name: The kind's name in the legend.
        is_shown: Whether it is drawn before a reader asks for it.
    """

    key: str
    name: str
    trials: Sequence[TrialRecord]
    marker: Mapping[str, Any]
    is_shown: bool = True


def kinds(results: StudyResults) -> Iterator[Kind]:
    """Yield the kinds that have trials, the most important last, because the last one is drawn on top."""
    complete = [trial for trial in results.trials if trial.state == "complete"]
    is_small = len(results.trials) <= MANY_TRIALS
    beaten = [trial for trial in complete if trial.is_feasible and trial.number not in results.front_numbers]
    found = (
        Kind(
            "pruned", "stopped early", [trial for trial in results.trials if trial.state == "pruned"],
            {"symbol": "x-thin", "size": 6, "line": {"color": PRUNED_COLOUR, "width": 1.5}}, is_shown=False,
        ),
        Kind(
            "infeasible", "breaks a limit", [trial for trial in complete if not trial.is_feasible],
            {"symbol": "diamond-open", "size": 8, "color": BROKEN_COLOUR, "line": {"width": 1.5}},
        ),
        Kind("complete", "complete", beaten, {"size": 7 if is_small else 5, "color": COMPLETE_COLOUR, "opacity": 0.8}),
        Kind(
            "front", "on the front", results.front,
            {"size": 11 if is_small else 8, "color": FRONT_COLOUR, "line": {"color": FRONT_COLOUR, "width": 1.5}},
        ),
    )  # fmt: skip
    return (kind for kind in found if kind.trials)


def points(
    results: StudyResults,
    kind: Kind,
    x: Axis,
    y: Axis,
    parameters: Parameters,
    reasons: Mapping[int, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return a scatter trace of the trials with a value on both axes; its name tells of how many it draws.

    Of very many trials those are left out that would lie on others.

    Args:
        reasons: What is added to the kind of some trials, by their numbers, for readers who point at one.
    """
    known = [t for t in kind.trials if not math.isnan(results.value(t, x) + results.value(t, y))]
    drawn = known if kind.key == "front" else _thinned(results, known, x, y)
    return {
        "name": f"{kind.name} ({count_drawn(len(drawn), len(kind.trials))})",
        "x": [rounded(results.value(trial, x)) for trial in drawn],
        "y": [rounded(results.value(trial, y)) for trial in drawn],
        "mode": "markers",
        "marker": dict(kind.marker),
        "customdata": [trial.number for trial in drawn],
        "meta": kind.key,
        "visible": True if kind.is_shown else "legendonly",
        **_hover_texts(results, kind, drawn, parameters, reasons),
    }


def count_drawn(n_drawn: int, n_trials: int) -> str:
    """Return how many are drawn, for a legend."""
    return str(n_trials) if n_drawn == n_trials else f"{n_drawn} of {n_trials} drawn"


def rounded(value: float) -> float:
    """Round to four digits, which is finer than a pixel and keeps a report of many trials small."""
    return float(f"{value:.4g}")


def scaled(values: Sequence[float], measure: Measure) -> NDArray[np.float64]:
    """Return where each value lies from the worst (0) to the best (1): costs by logarithms, scores by their skill.

    All are 1 if they are equal; NaN is 0.
    """
    found = np.asarray(values, dtype=float)
    if measure.axis == "accuracy":
        turned = -np.asarray(skill_scale(measure).skills(found))
    else:
        turned = np.log(np.where(found > 0, found, np.nan)) if np.nanmin(found) > 0 else found
    spread = np.nanmax(turned) - np.nanmin(turned)
    shares: NDArray[np.float64] = (np.nanmax(turned) - turned) / spread if spread > 0 else np.ones(len(found))
    return np.where(np.isnan(turned), 0.0, shares)


def _thinned(results: StudyResults, trials: Sequence[TrialRecord], x: Axis, y: Axis) -> Sequence[TrialRecord]:
    """Return one trial for each cell of the finest grid on which few enough cells have any."""
    if len(trials) <= MOST_POINTS:
        return trials
    columns = [scaled([results.value(trial, axis) for trial in trials], results.measure(axis)) for axis in (x, y)]
    for grid in _GRIDS:
        places = [(column * n).astype(int) for column, n in zip(columns, grid, strict=True)]
        _, first = np.unique(places[0] * (grid[1] + 1) + places[1], return_index=True)
        if len(first) <= MOST_POINTS:
            break
    return [trials[index] for index in sorted(first)]


def _hover_texts(
    results: StudyResults, kind: Kind, drawn: Sequence[TrialRecord], parameters: Parameters, reasons: Mapping[int, str]
) -> dict[str, Any]:
    """Return what a reader sees who points at a trial. Where there are many, only a front that is small tells all."""
    if len(kind.trials if kind.key == "front" else results.trials) > MANY_TRIALS:
        return {"hovertemplate": f"trial %{{customdata}}, {kind.name}<extra></extra>"}
    texts = [_hover(results, trial, kind.name + reasons.get(trial.number, ""), parameters) for trial in drawn]
    return {"hovertext": texts, "hoverinfo": "text"}


def _hover(results: StudyResults, trial: TrialRecord, name: str, parameters: Parameters) -> str:
    values = ", ".join(f"{results.axis_name(axis)} {results.show(trial, axis)}" for axis in AXES)
    named_values = (part.replace(" ", "\N{NO-BREAK SPACE}") for part in parameters.summary(trial).split(", "))
    lines = textwrap.wrap(", ".join(named_values), 60)
    # Plotly interprets some HTML tags in labels, so names that users chose are escaped.
    what = f"{name}, no better than guessing" if results.is_guessing(trial) else name
    return "<br>".join([f"<b>trial {trial.number}</b>, {what}", values, *(html.escape(line) for line in lines)])
