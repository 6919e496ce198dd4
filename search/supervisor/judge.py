"""The judge of trials after an epoch, which asks any pruner that the spec names in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import optuna

from tunefront.objectives.measures import MEASURES
from tunefront.search.data.chance import guessing_level
from tunefront.search.pruning.history import History
from tunefront.search.pruning.optuna_pruners import OptunaJudge
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.search.pruning.rungs import geometric_rungs
from tunefront.search.pruning.verdict import GO_ON, Verdict
from tunefront.search.spec.tables import NoPrunerTable, ParetoTable
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.contact.delivery import note_epochs, tells_optuna
from tunefront.search.supervisor.running_trial import RunningTrial
from tunefront.spaces.candidate import Candidate
from tunefront.storage import curves
from tunefront.storage.attempts import Lease, is_held, note_checkpoint, note_resumed
from tunefront.storage.curves import Epoch


class Judge:
    """The judge of running trials, which also writes down their epochs.

    Attributes:
        pareto: The ``pareto`` pruner for the longest trainings, if the spec names it.
    """

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        table, epochs = assignment.spec.pruner, assignment.spec.training.most_epochs
        objectives = list(assignment.spec.parsed_objectives().values())
        self._history = History(assignment.study, objectives, epochs, assignment.spec.extra_limits())
        self.pareto: ParetoPruner | None = None
        self._optuna: OptunaJudge | None = None
        self._rungs: tuple[int, ...] = ()
        if isinstance(table, ParetoTable):
            self.pareto = _pareto_pruner(assignment, table)
            self._rungs = geometric_rungs(epochs, table.min_epochs, table.rung_factor)
        elif not isinstance(table, NoPrunerTable):
            self._optuna = OptunaJudge(
                table, epochs, assignment.study.optuna, MEASURES[assignment.spec.accuracy_measure]
            )
            self._rungs = tuple(range(1, epochs))

    def rungs_of(self, candidate: Candidate) -> tuple[int, ...]:
        """Return the epochs after which a candidate's trial waits for a verdict, none of them its last one."""
        return tuple(rung for rung in self._rungs if rung < candidate.epochs)

    def begin(self, lease: Lease) -> list[Epoch]:
        """Return the epochs that an attempt begins with, those of the checkpoint that it goes on from."""
        study = self._assignment.study
        curve = curves.load(study, [lease.number]).get(lease.number, []) if lease.resumed_from else []
        self._tell_again(lease, curve)
        return curve

    def _tell_again(self, lease: Lease, curve: Sequence[Epoch]) -> None:
        """Tell Optuna anew what an earlier attempt told it of the epochs that stay, and forget the others.

        Its halving keeps in the trial what it found at each rung, so it is asked again. What it answers now is not
        followed: the trial went on.
        """
        if lease.attempt == 1 or not tells_optuna(self._assignment.spec):
            return
        store = self._assignment.study.store
        curves.forget_reported(store, lease)
        for n_epochs, epoch in enumerate(curve, start=1):
            if self._optuna is not None and n_epochs in self._rungs:
                self._optuna.judge(self._stored(lease), curve[:n_epochs])
            curves.report(store, lease, epoch.epoch, epoch.accuracy)

    def judge(self, running: RunningTrial) -> Verdict:
        """Judge a trial at a rung, by its epochs so far."""
        if self.pareto is not None:
            epochs = running.candidate.epochs
            finished = self._history.finished(epochs)
            pruner = replace(self.pareto, epochs=epochs)
            return pruner.judge(running.curve, running.measurements, finished, self._history.n_ended)
        # Optuna's halving writes to the trial, which may not be ours now.
        if self._optuna is not None and is_held(self._assignment.study.store, running.lease):
            return self._optuna.judge(self._stored(running.lease), running.curve)
        return GO_ON

    def _stored(self, lease: Lease) -> optuna.trial.FrozenTrial:
        storage = self._assignment.study.store.optuna
        return storage.get_trial(storage.get_trial_id_from_study_id_trial_number(lease.study_id, lease.number))

    def note(self, running: RunningTrial) -> bool:
        """Write what is not yet written of the trial's epochs and checkpoints; return False if its lease is lost."""
        store, lease = self._assignment.study.store, running.lease
        if running.resumed is not None:
            if not note_resumed(store, lease, running.resumed):
                return False
            self._tell_again(lease, running.curve[: running.resumed.epoch])
            running.resumed = None
        new = running.curve[running.n_noted :]
        for is_written in note_epochs(self._assignment.study, self._assignment.spec, running.lease, new):
            if not is_written:
                return False
            running.n_noted += 1
        if running.noted_epochs != running.checkpoint_epochs:
            if not note_checkpoint(store, lease, running.checkpoint_epochs):
                return False
            running.noted_epochs = running.checkpoint_epochs
        return True


def _pareto_pruner(assignment: Assignment, table: ParetoTable) -> ParetoPruner:
    spec = assignment.spec
    return ParetoPruner(
        spec.parsed_objectives(),
        spec.training.most_epochs,
        table.front_loss,
        may_end_early=spec.training.early_stopping is not None,
        guessing=guessing_level(assignment.study.record.dataset, spec.accuracy_measure),
        uses_tolerance=table.tolerance,
    )
