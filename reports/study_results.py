"""The results of a study as the store has them, with its front: the basis of every report."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tunefront.objectives.chance import Chance, read_chance
from tunefront.objectives.dominance import on_front
from tunefront.objectives.limits import Objective, read_objectives
from tunefront.objectives.measures import AXES, MEASURES, Axis, Measure, Task, axis_name, default_measures
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.parameters import Parameters
from tunefront.storage import limits, studies, trials
from tunefront.storage.artifacts.model_files import ModelFiles
from tunefront.storage.open_study import OpenStudy, StudyRecord
from tunefront.storage.population import turns
from tunefront.storage.studies import WorkerRecord
from tunefront.storage.trials import TrialRecord

STATES = ("complete", "pruned", "refused", "failed", "cancelled", "running", "waiting")
_BY_A_PERSON = "cancelled by a person"
_OF_TRAINING = ("train_seconds", "validation_seconds", "compile_seconds")


@dataclass(frozen=True)
class ReasonGroup:
    """Reasons that differ only in their numbers.

    Attributes:
        text: The reason itself if all are equal, else with ``…`` in place of numbers.
        numbers: The numbers of the trials.
    """

    text: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class StudyResults:
    """The results of a study at one moment.

    Attributes:
        workers: Every supervisor that the study ever had.
        trials: All trials in the order of their numbers.
        objectives: The axes that count, in the order of a trial's values.
        front_numbers: Complete trials within the limits that no other such trial dominates; ties are
            all kept.
        ending: Why the last run ended before the study had all its trials, in a sentence; empty if it did not.
        front_loss: The number of members of the front that were stopped, as estimated by the last run that ended:
            ``lost``, ``at_risk`` (the lost and the found members), ``low`` and ``high``, all None if it could not be
            estimated; ``n_stopped`` and the setting ``front_loss``. Empty if there is no estimate.
        written_spec: The keys that the study's first spec was written with; empty where they are not known.
        are_populations_apart: Whether members of a population trained on machines that did not see each other's
            checkpoints.
        limit_changes: Each change of the limits: ``before`` and ``after`` in words, and the trials finished by then.
    """

    study: StudyRecord
    workers: Sequence[WorkerRecord]
    trials: Sequence[TrialRecord]
    objectives: Mapping[Axis, Objective]
    front_numbers: frozenset[int]
    ending: str = ""
    front_loss: Mapping[str, Any] = field(default_factory=dict)
    limit_changes: Sequence[Mapping[str, Any]] = ()
    written_spec: Mapping[str, Any] = field(default_factory=dict)
    are_populations_apart: bool = False

    @cached_property
    def front(self) -> list[TrialRecord]:
        """The trials on the front: best accuracy first, then least memory, then least time."""
        members = [trial for trial in self.trials if trial.number in self.front_numbers]
        return sorted(members, key=lambda trial: (*(self.loss(trial, axis) for axis in AXES), trial.number))

    @property
    def counts(self) -> dict[str, int]:
        """The number of trials in each of :data:`STATES`."""
        states = [trial.state for trial in self.trials]
        return {state: states.count(state) for state in STATES}

    @property
    def n_finished(self) -> int:
        """The trials that count towards the study's number; in a confirmation, failed and cancelled trainings too."""
        counts = self.counts
        states = ["complete", "pruned"] + (["failed", "cancelled"] if self.study.spec.get("confirms") else [])
        return sum(counts[state] for state in states)

    @property
    def n_missing(self) -> int:
        """The number of trials that the study is still to finish; 0 if it has them all."""
        return max(int(self.study.spec.get("trials", 0)) - self.n_finished, 0)

    @property
    def early_end(self) -> str:
        """The reason, as a sentence, why the study ended without all its trials; empty if it did not, or runs again."""
        return self.ending if self.n_missing and not self.counts["running"] else ""

    def measure(self, axis: Axis) -> Measure:
        """Return the measure on the axis: that of its objective, or the default if the axis has no objective."""
        objective = self.objectives.get(axis)
        return objective.measure if objective is not None else MEASURES[default_measures(self.task)[axis]]

    @property
    def task(self) -> Task:
        """What the networks answer with: classes, or numbers."""
        return "regression" if self.study.dataset.get("task") == "regression" else "classification"

    @property
    def examples(self) -> str:
        """What the dataset has, in a word: images, rows of a table, or where numbers are predicted any examples."""
        if self.study.dataset.get("columns"):
            return "rows"
        return "images" if self.task == "classification" else "examples"

    def axis_name(self, axis: Axis) -> str:
        """Return the name of the axis for people: the first one is called quality where numbers are predicted."""
        return axis_name(axis, self.measure(axis))

    def value(self, trial: TrialRecord, axis: Axis) -> float:
        """Return the trial's value on the axis, the latest if it is not complete; NaN if it was not measured.

        A time that is a sum over several kinds of machines is none that compares, and so is NaN; and so is that of a
        training without the stored features that others had.
        """
        if trial.values is not None and axis in self._places:
            return trial.values[self._places[axis]]
        name = self._measure_names[axis]
        if axis == "time" and (trial.has_mixed_times or (name in _OF_TRAINING and trial.lacked_features)):
            return math.nan
        return trial.measurements.get(name, math.nan)

    @cached_property
    def _places(self) -> dict[Axis, int]:
        """Axis -> the place of its objective among a trial's values."""
        return {axis: place for place, axis in enumerate(self.objectives)}

    @cached_property
    def _measure_names(self) -> dict[Axis, str]:
        return {axis: self.measure(axis).name for axis in AXES}

    @cached_property
    def parameters(self) -> Parameters:
        """The parameters of all trials as reports name them."""
        return Parameters.of(self.trials)

    def show(self, trial: TrialRecord, axis: Axis) -> str:
        """Return the trial's value on the axis as text for people: ``"1.31 MB"``."""
        return format_quantity(self.value(trial, axis), self.measure(axis).unit)

    @property
    def chance(self) -> Chance | None:
        """The score of guessing by the measure of accuracy; None if the study does not tell it."""
        return read_chance(self.study.dataset, self.measure("accuracy").name)

    def is_guessing(self, trial: TrialRecord) -> bool:
        """Return whether the trial's score is no better than guessing; False where either is unknown."""
        chance, score = self.chance, self.value(trial, "accuracy")
        return chance is not None and not math.isnan(score) and not chance.is_beaten_by(score)

    def best(self, axis: Axis) -> TrialRecord | None:
        """Return the front's best trial on the axis among those better than guessing, the first if there are several.

        None if there is none: nobody wants a model that has learnt nothing, however small it is.
        """
        learnt = [trial for trial in self.front if not self.is_guessing(trial)]
        return min(learnt, key=lambda trial: self.loss(trial, axis), default=None)

    def reasons(self, state: str) -> list[ReasonGroup]:
        """Return the reasons of the trials in that state, the most frequent first; trials without one are left out."""
        groups: dict[str, list[TrialRecord]] = {}
        for trial in self.trials:
            if trial.state == state and trial.reason:
                groups.setdefault(_without_numbers(trial.reason), []).append(trial)
        found = [
            ReasonGroup(
                members[0].reason if len({member.reason for member in members}) == 1 else text,
                tuple(member.number for member in members),
            )
            for text, members in groups.items()
        ]
        return sorted(found, key=lambda group: -len(group.numbers))

    def loss(self, trial: TrialRecord, axis: Axis) -> float:
        """Return the trial's value turned so that less is better; infinite if it was not measured."""
        value = self.value(trial, axis)
        return math.inf if math.isnan(value) else self.measure(axis).loss(value)


def load_results(study: OpenStudy, folder: Path | None = None, *, has_names: bool = False) -> StudyResults:
    """Read the study's trials and find the front. Writes nothing.

    Args:
        folder: The folder of its results on this machine, where models of other machines may have been brought to.
        has_names: Whether reasons tell who cancelled trials. Reports do not, because they are sent on.
    """
    objectives = read_objectives(study.record.spec)
    records = trials.load(study)
    if not has_names:
        records = [replace(each, reason=_BY_A_PERSON) if each.state == "cancelled" else each for each in records]
    if folder is not None:
        records = ModelFiles(study, folder).here(records)
    noted = study.optuna.user_attrs
    candidates = [trial for trial in records if trial.state == "complete" and trial.is_feasible]
    return StudyResults(
        study=study.record,
        workers=studies.list_workers(study),
        trials=records,
        objectives=objectives,
        front_numbers=front_numbers(candidates, objectives),
        ending=str(noted.get("ending", "")),
        front_loss=noted.get("front_loss", {}),
        limit_changes=noted.get(limits.CHANGES, ()),
        written_spec=noted.get(studies.WRITTEN_SPEC, {}),
        are_populations_apart=bool(noted.get(turns.APART)),
    )


def front_numbers(candidates: Sequence[TrialRecord], objectives: Mapping[Axis, Objective]) -> frozenset[int]:
    """Return the numbers of those complete trials that no other one of them dominates."""
    points = np.array([trial.values for trial in candidates], dtype=float)
    directions = [objective.measure.direction for objective in objectives.values()]
    mask = on_front(points, directions)
    return frozenset(trial.number for trial, is_on in zip(candidates, mask, strict=True) if is_on)


# A number with its unit. Limits such as "at least 50.00 %" do not match, because they are the same for all trials.
_NUMBER = re.compile(
    r"(?<!at least )(?<!at most )(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?: (?:%|[kMGT]?B|[µum]?s|min|h)(?!\w))?"
)


def _without_numbers(reason: str) -> str:
    text = _NUMBER.sub("…", reason).removeprefix("epoch …: ")
    return re.sub(r" \([…, ]*\)", "", text)  # drops brackets in which only numbers were
