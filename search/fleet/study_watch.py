"""A study that others work on, as the store shows it: what a live view shows, and lines on what has happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import sqlalchemy as sa
from optuna.trial import FrozenTrial, TrialState

from tunefront.objectives.chance import read_chance
from tunefront.objectives.measures import MEASURES
from tunefront.objectives.quantities import format_quantity
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.end_reason import Ending, describe_early_end
from tunefront.search.supervisor.finisher import describe_outcome, describe_stopped
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.view import SlotState, Snapshot
from tunefront.storage import curves, queue, studies
from tunefront.storage.control import study_control
from tunefront.storage.control.wishes import StudyWish
from tunefront.storage.counts import Counts, count, refused
from tunefront.storage.database import schema
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class StudyWatch:
    """The watch of a study. It writes nothing.

    Args:
        clock: A clock in seconds.
    """

    def __init__(self, study: OpenStudy, spec: StudySpec, clock: Callable[[], float] = time.monotonic) -> None:
        self._study = study
        self._spec = spec
        self._clock = clock
        self._measure = MEASURES[spec.accuracy_measure]
        chance = read_chance(study.record.dataset, spec.accuracy_measure)
        self._front = LiveFront(study, spec.parsed_objectives(), spec.extra_limits(), chance)
        self._began_at = clock()
        self._told = {trial.number for trial in self._ended()}
        self._n_finished_before = count(study).finished

    def news(self) -> list[str]:
        """Return a line on each trial that has ended since the last call."""
        new = [trial for trial in self._ended() if trial.number not in self._told]
        self._told |= {trial.number for trial in new}
        were_refused = refused(self._study) if new else frozenset()
        return [self._describe(trial, was_refused=trial.number in were_refused) for trial in new]

    def snapshot(self, notice: str = "") -> Snapshot:
        """Return the study's state now.

        Args:
            notice: See :class:`Snapshot`.
        """
        counts, seconds = count(self._study), self._clock() - self._began_at
        n_new = counts.finished - self._n_finished_before
        remaining = max(self._spec.trials - counts.finished, 0)
        front = None if self._spec.confirms else self._front.front()
        return Snapshot(
            study=self._study.name,
            n_trials=self._spec.trials,
            counts=counts,
            slots=self._slots(),
            objectives=self._front.objectives,
            front=front,
            seconds_left=remaining * seconds / n_new if n_new else None,
            measure=self._measure,
            seconds=seconds,
            epochs_saved=curves.epochs_saved(self._study) if counts.pruned else 0,
            guessing=frozenset(number for number, values in front or () if self._front.is_guessing(values)),
            notice=notice,
        )

    def pause(self) -> str:
        """Return by whom the study is paused, for a person who watches; empty if it is not."""
        wish = study_control.read(self._study).wish
        is_paused = wish.of_study in (StudyWish.PAUSED, StudyWish.PAUSED_NOW)
        return f"paused by {wish.by}: 'tunefront resume {self._study.name}' goes on" if is_paused else ""

    def _ended(self) -> list[FrozenTrial]:
        return list(self._study.optuna.get_trials(deepcopy=False, states=_ENDED))

    def _slots(self) -> list[SlotState]:
        """Return the slots of all workers that run a trial, with the worker's name."""
        leases = schema.leases
        query = (
            sa.select(leases.c.number, leases.c.slot, leases.c.worker_id)
            .where(leases.c.study_id == self._study.study_id)
            .order_by(leases.c.number)
        )
        with self._study.store.engine.connect() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return []
        names = {  # as `tunefront status` names workers: those of one machine have slots of the same names
            worker.worker_id: f"{worker.machine.get('host_name', worker.host)}-{worker.pid}"
            for worker in studies.list_workers(self._study)
        }
        running = self._study.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        parameters: Mapping[int, FrozenTrial] = {trial.number: trial for trial in running}
        epochs = curves.load(self._study, [row.number for row in rows])
        return [
            self._slot(f"{names.get(row.worker_id, row.worker_id)} {row.slot}", parameters[row.number], epochs)
            for row in rows
            if row.number in parameters
        ]

    def _slot(self, name: str, trial: FrozenTrial, curves_of: Mapping[int, list[curves.Epoch]]) -> SlotState:
        curve = curves_of.get(trial.number, [])
        best = self._measure.best(epoch.accuracy for epoch in curve) if curve else None
        return SlotState(name, trial.number, trial.params, len(curve), self._n_epochs(trial), best)

    def _n_epochs(self, trial: FrozenTrial) -> int:
        return int(trial.params.get("training.epochs", self._study.record.spec["training"]["epochs"]))

    def _describe(self, trial: FrozenTrial, *, was_refused: bool) -> str:
        reason = trial.user_attrs.get(queue.REASON, "")
        if trial.state == TrialState.COMPLETE:
            shown = [
                format_quantity(value, objective.measure.unit)
                for value, objective in zip(trial.values, self._front.objectives.values(), strict=True)
            ]
            line = describe_outcome(trial.number, Outcome.COMPLETE, ", ".join(shown), reason)
            return line if self._spec.confirms else line + self._front.describe_entry(trial.number)
        if trial.state == TrialState.FAIL:
            return describe_outcome(trial.number, Outcome.FAILED, "", reason)
        if was_refused:
            return describe_outcome(trial.number, Outcome.REFUSED, "", reason)
        n_epochs = len(curves.load(self._study, [trial.number]).get(trial.number, []))
        return describe_stopped(trial.number, n_epochs, self._n_epochs(trial), reason)


def stored_ending(study: OpenStudy, spec: StudySpec) -> Ending:
    """Return why workers found a study over, as the store tells it."""
    counts: Counts = count(study)
    if counts.finished >= spec.trials:
        return Ending.DONE
    if study_control.read(study).wish.of_study is StudyWish.STOPPED:
        return Ending.STOPPED
    noted = study.optuna.user_attrs.get("ending", "")
    for ending in Ending:
        if noted and noted == describe_early_end(ending, spec):
            return ending
    if counts.failed > spec.max_failures:
        return (
            Ending.DONE
            if spec.confirms and counts.finished + counts.failed >= spec.trials
            else Ending.TOO_MANY_FAILURES
        )
    return Ending.TOO_MANY_REFUSALS if counts.refused > spec.max_refusals else Ending.DONE
