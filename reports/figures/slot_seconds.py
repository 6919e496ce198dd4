"""The figure of where the time of the slots went: by what became of the trials, and by what they did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

from tunefront.objectives.quantities import format_quantity
from tunefront.reports.figures.colours import COMPLETE_COLOUR, FRONT_COLOUR, blend
from tunefront.reports.figures.style import new_figure
from tunefront.reports.figures.trial_points import rounded
from tunefront.reports.figures.units import time_unit
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

_PARTS = {"training": FRONT_COLOUR, "validation": blend((FRONT_COLOUR, "#ffffff"), 0.6), "the rest": COMPLETE_COLOUR}


@dataclass(frozen=True)
class SlotSeconds:
    """The seconds that trials of one fate held a slot.

    Attributes:
        fate: What became of them, in words.
        training: Seconds of training, without tracing, compiling or validation.
        validation: Seconds of validation after epochs.
        rest: Everything else: starting, building, compiling, measuring, saving.
    """

    fate: str
    n_trials: int
    training: float
    validation: float
    rest: float

    @property
    def whole(self) -> float:
        return self.training + self.validation + self.rest


def slot_seconds_figure(results: StudyResults) -> go.Figure:
    """Return a figure of stacked bars, one for each fate of trials; empty if no trial has ended."""
    found = slot_seconds(results)
    whole = sum(each.whole for each in found)
    figure = new_figure("Where the time went", f"{format_quantity(whole, 'seconds')} of slots, in trials that ended")
    if not found:
        return figure
    length, unit = time_unit(max(each.whole for each in found))
    names = [f"{each.fate} ({each.n_trials})" for each in found]
    for part, colour in _PARTS.items():
        seconds = [getattr(each, "rest" if part == "the rest" else part) for each in found]
        figure.add_bar(
            name=part,
            orientation="h",
            x=[rounded(value / length) for value in seconds],
            y=names,
            marker={"color": colour},
            hovertext=[
                f"<b>{name}</b>, {part}: {format_quantity(value, 'seconds')}, {value / whole:.0%} of all"
                for name, value in zip(names, seconds, strict=True)
            ],
            hoverinfo="text",
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.35,
        xaxis={"title": {"text": unit}, "nticks": 6},
        yaxis={"autorange": "reversed"},
        legend={"traceorder": "normal"},
    )
    return figure


def describe_slot_seconds(results: StudyResults) -> str:
    """Say in words what the figure shows; empty if no trial has ended."""
    found = slot_seconds(results)
    whole = sum(each.whole for each in found)
    if whole <= 0:
        return ""
    fates = ", ".join(f"{each.fate} {100 * each.whole / whole:.0f} %" for each in found)
    training, validation = (
        100 * sum(parts) / whole for parts in zip(*((each.training, each.validation) for each in found), strict=True)
    )
    return (
        f"Of {format_quantity(whole, 'seconds')} of slots, by what became of the trials: {fates}. Training took "
        f"{training:.0f} % and validation {validation:.0f} %; the rest is starting, building, compiling and measuring."
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
        training = sum(epoch.train_seconds for trial, _ in timed for epoch in trial.epochs)
        validation = sum(epoch.validation_seconds for trial, _ in timed for epoch in trial.epochs)
        rest = max(sum(seconds for _, seconds in timed) - training - validation, 0.0)
        if timed:
            found.append(SlotSeconds(fate, len(timed), training, validation, rest))
    return found


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
