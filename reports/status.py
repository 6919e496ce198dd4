"""The status of studies, for a terminal or, as plain data, for a program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tunefront.objectives.measures import AXES
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.kept_models import describe_without_model
from tunefront.reports.sentences.attempts import describe_attempts
from tunefront.reports.sentences.features import describe_features
from tunefront.reports.sentences.notes import notes
from tunefront.reports.study_results import STATES, ReasonGroup, StudyResults, load_results
from tunefront.reports.tables.terminal import front_table
from tunefront.reports.worker_table import worker_table, workers_as_json
from tunefront.storage import studies
from tunefront.storage.control import study_control
from tunefront.storage.control.study_control import StudyControl
from tunefront.storage.control.wishes import StudyWish
from tunefront.storage.control.work import ProcessWork, read_work
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.population.stages import as_json
from tunefront.storage.trials import TrialRecord

_MAX_NUMBERS = 8  # trial numbers listed for one reason
_MAX_FAILURES = 3  # kinds of failures listed for one of several studies
_REASONED = ("pruned", "refused", "failed", "cancelled")
_MAX_STOPPED = 15  # stopped trials listed one by one


@dataclass(frozen=True)
class StudiesOverview:
    """All studies of a store, with a line for each, in the order in which workers choose from them.

    Attributes:
        controls: What people wish of each study, in the same order.
        workers: Those that run, or were lost in the last day.
    """

    results: list[StudyResults]
    controls: list[StudyControl]
    workers: Sequence[ProcessWork] = ()

    def as_json(self) -> dict[str, Any]:
        """Return ``studies`` and ``workers``.

        A study has ``study``, ``trials``, counts by state, ``front``, None for a confirmation, what people wish of it,
        and why trials failed.
        """
        studies = [
            {**_summary(results), **_control_as_json(control), "reasons": {"failed": _reasons(results, "failed")}}
            for results, control in zip(self.results, self.controls, strict=True)
        ]
        return {"studies": studies, "workers": workers_as_json(self.workers)}

    @property
    def is_over(self) -> bool:
        """Whether all studies are over, see :class:`StudyStatus`."""
        return all(StudyStatus(results).is_over for results in self.results)

    def render(self, *, is_brief: bool = False) -> RenderableType:
        """Return a table, and the command to type next."""
        if not self.results:
            none = Text("No study yet. Start one with: tunefront run examples/digits.toml")
            return Group(none, Text(""), worker_table(self.workers)) if self.workers else none
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("study", style="bold")
        has_priorities = any(control.priority for control in self.controls)
        rare = ["cancelled"] if any(results.counts["cancelled"] for results in self.results) else []
        states = ["pruned", "refused", "failed", *rare, "running", "waiting"]
        for name in (*(["priority"] if has_priorities else []), "done", *states, "front"):
            table.add_column(name, justify="right")
        for results, control in zip(self.results, self.controls, strict=True):
            summary = _summary(results)
            done = f"{summary['finished']} of {summary['trials']}"
            cells = [done, *(str(summary[name]) for name in states)]
            cells.append("-" if summary["front"] is None else str(summary["front"]))
            table.add_row(results.study.name, *([str(control.priority)] if has_priorities else []), *cells)
        parts: list[RenderableType] = [table]
        for results, control in zip(self.results, self.controls, strict=True):
            wished = _describe_wish(control)
            parts += [Text(f"{results.study.name} is {wished}", style="yellow")] if wished else []
            failures = results.reasons("failed")[:_MAX_FAILURES]
            parts += [Text(f"{results.study.name}: ").append(_reason_line("failed", group)) for group in failures]
        if self.workers:
            parts += [Text(""), worker_table(self.workers)]
        return Group(*parts, Text(f"More of one: tunefront status {self.results[-1].study.name}", style="dim"))


@dataclass(frozen=True)
class StudyStatus:
    """The status of one study.

    Attributes:
        control: What people wish of it; None if that is not known.
        workers: Those that train its trials now.
    """

    results: StudyResults
    control: StudyControl | None = None
    workers: Sequence[ProcessWork] = ()

    @property
    def is_over(self) -> bool:
        """Whether the study has all its trials, or ended early for good, and nothing runs."""
        return not self.results.counts["running"] and (not self.results.n_missing or bool(self.results.early_end))

    def as_json(self) -> dict[str, Any]:
        """Return counts, notes, reasons of the trials that did not complete, the running trials, and the front."""
        results = self.results
        return {
            **_summary(results),
            **(_control_as_json(self.control) if self.control is not None else {}),
            "notes": notes(results),
            "reasons": {state: _reasons(results, state) for state in _REASONED},
            "workers": workers_as_json(self.workers),
            "running_trials": [
                {
                    "trial": trial.number,
                    "slot": trial.slot,
                    "epochs": len(trial.epochs),
                    "parameters": dict(trial.parameters),
                    **({"settings_by_epoch": as_json(trial.stages)} if trial.stages else {}),
                }
                for trial in results.trials
                if trial.state == "running"
            ],
            "front_trials": [
                {"trial": trial.number, "model": trial.model_path or None}
                | {results.axis_name(axis): _number(results.value(trial, axis)) for axis in AXES}
                | {"no_better_than_guessing": results.is_guessing(trial)}
                | ({"settings_by_epoch": as_json(trial.stages)} if trial.stages else {})
                for trial in ([] if results.study.spec.get("confirms") else results.front)
            ],
        }

    def render(self, *, is_brief: bool = False) -> RenderableType:
        """Return counts, notes, reasons, the running trials, and the front as tables.

        Args:
            is_brief: Whether to leave out why each single trial was stopped early, and what the front's models are.
        """
        results = self.results
        counts = results.counts
        title = Text(f"{results.study.name}: {results.n_finished} of {results.study.spec['trials']} trials", "bold")
        states = Text(", ".join(f"{counts[state]} {state}" for state in STATES if counts[state]) or "none started")
        parts: list[RenderableType] = [title, states]
        wished = _describe_wish(self.control) if self.control is not None else ""
        if wished:
            parts.append(Text(wished, style="yellow"))
        elif results.early_end:
            parts.append(Text(f"done early: {results.early_end}"))
        if self.control is not None and self.control.priority:
            parts.append(Text(f"priority {self.control.priority}"))
        parts += [Text(note, style="yellow") for note in notes(results)]
        parts += [Text(text) for text in (describe_attempts(results), describe_features(results)) if text]
        for state in _REASONED:
            parts += [_reason_line(state, group) for group in results.reasons(state)]
        if not is_brief:
            parts += _proofs(results)
        running = [trial for trial in results.trials if trial.state == "running"]
        if running:
            parts.append(_running_table(results, running))
        if self.workers:
            parts.append(worker_table(self.workers))
        confirms = results.study.spec.get("confirms")
        if confirms:  # the front of a confirmation's single trainings means nothing
            parts.append(Text(f"What they mean together: tunefront report {confirms}"))
        elif results.front:
            front = front_table(results)
            parts += [Text(""), replace(front, items=()) if is_brief else front]
            parts += [Text(text) for text in (describe_without_model(results),) if text]
        return Group(*parts)


def studies_overview(store: Store) -> StudiesOverview:
    """Read every study of the store. Writes nothing."""
    controls = study_control.read_all(store)
    listed = studies.list_all(store)
    found = [controls.get(study.study_id) or StudyControl(study.study_id, study.name) for study in listed]
    order = sorted(range(len(listed)), key=lambda place: -found[place].priority)
    return StudiesOverview(
        [load_results(listed[place], has_names=True) for place in order],
        [found[place] for place in order],
        read_work(store),
    )


def study_status(study: OpenStudy) -> StudyStatus:
    """Read one study. Writes nothing."""
    workers = [each for each in read_work(study.store) if any(work.study == study.name for work in each.work)]
    return StudyStatus(load_results(study, has_names=True), study_control.read(study), workers)


def _summary(results: StudyResults) -> dict[str, Any]:
    return {
        "study": results.study.name,
        "trials": results.study.spec["trials"],
        "finished": results.n_finished,
        **results.counts,
        # The front of a confirmation's single trainings means nothing.
        "front": None if results.study.spec.get("confirms") else len(results.front),
    }


def _control_as_json(control: StudyControl) -> dict[str, Any]:
    return {
        "priority": control.priority,
        "wish": control.wish.of_study.value,
        "wished_by": control.wish.by,
        "is_submitted": control.is_submitted,
    }


def _describe_wish(control: StudyControl) -> str:
    """Return what a person wishes of a study that is not open; empty if it is."""
    if control.wish.of_study is StudyWish.OPEN:
        return ""
    again = f"'tunefront resume {control.name}'"
    if control.wish.of_study is StudyWish.STOPPED:
        return f"stopped by {control.wish.by}; {again} opens it again"
    return f"paused by {control.wish.by}; {again} goes on"


def _reasons(results: StudyResults, state: str) -> list[dict[str, Any]]:
    return [{"reason": group.text, "trials": list(group.numbers)} for group in results.reasons(state)]


def _reason_line(state: str, group: ReasonGroup) -> Text:
    text = Text(f"{state} ({len(group.numbers)}): ", style="yellow" if state == "failed" else "dim")
    return text.append(f"{group.text}: {_trials(group.numbers)}", style="default")


def _proofs(results: StudyResults) -> list[Text]:
    """Return for each trial that was stopped early why, in full, where reasons were summed up to one for several."""
    summed_up = {number for group in results.reasons("pruned") if len(group.numbers) > 1 for number in group.numbers}
    stopped = [trial for trial in results.trials if trial.number in summed_up]
    lines = [Text(f"  trial {trial.number}, {trial.reason}", style="dim") for trial in stopped[-_MAX_STOPPED:]]
    n_more = len(stopped) - len(lines)
    title = f"why each of them was stopped{f' (the last {len(lines)}; all are in the report)' if n_more else ''}:"
    return [Text(title), *lines] if lines else []


def _trials(numbers: tuple[int, ...]) -> str:
    shown = f"trial{'s' if len(numbers) > 1 else ''} " + ", ".join(map(str, numbers[:_MAX_NUMBERS]))
    more = len(numbers) - _MAX_NUMBERS
    return f"{shown} and {more} more" if more > 0 else shown


def _running_table(results: StudyResults, running: list[TrialRecord]) -> Table:
    table = Table(title="running now", title_justify="left", box=None, padding=(0, 2, 0, 0))
    measure = results.measure("accuracy")
    for name in ("slot", "trial", "epoch", f"{results.axis_name('accuracy')} so far"):
        table.add_column(name, justify="left" if name == "slot" else "right")
    for trial in running:
        best = measure.best(epoch.accuracy for epoch in trial.epochs)
        n_epochs = trial.parameters.get("training.epochs", results.study.spec["training"]["epochs"])
        epoch = f"{len(trial.epochs)} of {n_epochs}"
        table.add_row(trial.slot, str(trial.number), epoch, format_quantity(best, measure.unit))
    return table


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
