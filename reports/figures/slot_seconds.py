"""The figure of where the time of the slots went: by what became of the trials, and by what they did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from tunefront.objectives.measures import PART_SECONDS
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.figures.colours import COMPLETE_COLOUR, FRONT_COLOUR, LINE_COLOURS, blend
from tunefront.reports.figures.style import new_figure
from tunefront.reports.figures.trial_points import rounded
from tunefront.reports.figures.units import time_unit
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

_REST = "the rest"
# Part of a trial -> its colour, in the order in which they come; greys where a trial waits.
_PARTS = {
    "loading": LINE_COLOURS[1],
    "building": LINE_COLOURS[2],
    "tracing": LINE_COLOURS[3],
    "training": FRONT_COLOUR,
    "validation": blend((FRONT_COLOUR, "#ffffff"), 0.6),
    "other folds": blend((FRONT_COLOUR, "#ffffff"), 0.8),
    "measuring": LINE_COLOURS[4],
    "saving": LINE_COLOURS[5],
    _REST: COMPLETE_COLOUR,
}
_MEASURED = {**PART_SECONDS, "tracing": "compile_seconds"}


@dataclass(frozen=True)
class SlotSeconds:
    """The seconds that trials of one fate held a slot.

    Attributes:
        fate: What became of them, in words.
        parts: Part of a trial -> its seconds; the last one is everything that was not timed.
    """

    fate: str
    n_trials: int
    parts: Mapping[str, float]

    @property
    def whole(self) -> float:
        return sum(self.parts.values())


def slot_seconds_figure(found: Sequence[SlotSeconds]) -> go.Figure:
    """Return a figure of stacked bars, one for each fate of trials; empty if no trial has ended."""
    whole = sum(each.whole for each in found)
    title, subtitle = "Where the time went", f"{format_quantity(whole, 'seconds')} of slots, in trials that ended"
    if not found:
        return new_figure(title, subtitle)
    length, unit = time_unit(max(each.whole for each in found))
    figure = new_figure(
        title,
        subtitle,
        barmode="stack",
        bargap=0.35,
        xaxis={"title": {"text": unit}, "nticks": 6},
        yaxis={"autorange": "reversed"},
        legend={"traceorder": "normal"},
    )
    names = [f"{each.fate} ({each.n_trials})" for each in found]
    for part in _parts_of(found):
        seconds = [each.parts[part] for each in found]
        figure.add_bar(
            name=part,
            orientation="h",
            x=[rounded(value / length) for value in seconds],
            y=names,
            marker={"color": _PARTS[part]},
            hovertext=[
                f"<b>{name}</b>, {part}: {format_quantity(value, 'seconds')}, {value / whole:.0%} of all"
                for name, value in zip(names, seconds, strict=True)
            ],
            hoverinfo="text",
        )
    return figure


def describe_slot_seconds(found: Sequence[SlotSeconds]) -> str:
    """Say in words what the figure shows; empty if no trial has ended."""
    whole = sum(each.whole for each in found)
    if whole <= 0:
        return ""
    fates = ", ".join(f"{each.fate} {100 * each.whole / whole:.0f} %" for each in found)
    shares = {part: 100 * sum(each.parts[part] for each in found) / whole for part in _parts_of(found)}
    timed = ", ".join(f"{part} {share:.0f} %" for part, share in shares.items() if part != _REST)
    if not PART_SECONDS.keys() & shares.keys():  # of an older tunefront, which timed none of these
        rest = "starting, building, measuring, saving and waiting"
    else:
        rest = "waiting: for a process, for verdicts, for checkpoints and for the storage"
    return (
        f"Of {format_quantity(whole, 'seconds')} of slots, by what became of the trials: {fates}. "
        f"By what they did: {timed}; the rest, {shares[_REST]:.0f} %, is {rest}."
    )


def slot_seconds(results: StudyResults) -> list[SlotSeconds]:
    """Return the seconds of trials that ended, the worthiest fate first; of a repeated trial those of its parts."""
    found = []
    for fate, trials in _by_fate(results):
        timed = [
            (trial, trial.ended_at - trial.started_at + _seconds_before(trial))
            for trial in trials
            if trial.started_at is not None and trial.ended_at is not None
        ]
        if timed:
            parts = dict.fromkeys(_PARTS, 0.0)
            for trial, _ in timed:
                for part, name in _MEASURED.items():
                    parts[part] += trial.measurements.get(name, 0.0)
                parts["training"] += sum(epoch.train_seconds for epoch in trial.epochs)
                parts["validation"] += sum(epoch.validation_seconds for epoch in trial.epochs)
            parts[_REST] = max(sum(seconds for _, seconds in timed) - sum(parts.values()), 0.0)
            found.append(SlotSeconds(fate, len(timed), parts))
    return found


def _parts_of(found: Sequence[SlotSeconds]) -> list[str]:
    """Return the parts that took any time, and those that every study has."""
    always = ("training", "validation", _REST)
    return [part for part in _PARTS if part in always or any(each.parts[part] > 0 for each in found)]


def _seconds_before(trial: TrialRecord) -> float:
    """Return how long the attempts that the last one went on from held their slots."""
    return sum(part.ended_at - part.started_at for part in trial.parts[:-1] if part.ended_at is not None)


def _by_fate(results: StudyResults) -> Iterator[tuple[str, list[TrialRecord]]]:
    complete = [trial for trial in results.trials if trial.state == "complete"]
    yield "on the front", results.front
    yield "beaten", [t for t in complete if t.is_feasible and t.number not in results.front_numbers]
    yield "breaks a limit", [trial for trial in complete if not trial.is_feasible]
    yield "stopped early", [trial for trial in results.trials if trial.state == "pruned"]
    yield "refused", [trial for trial in results.trials if trial.state == "refused"]
    yield "failed", [trial for trial in results.trials if trial.state == "failed"]
    yield "cancelled", [trial for trial in results.trials if trial.state == "cancelled"]
