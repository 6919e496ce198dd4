"""The judge of trials after an epoch, which asks any pruner that the spec names in the same way."""

from __future__ import annotations

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
from tunefront.search.supervisor.running_trial import RunningTrial
from tunefront.spaces.candidate import Candidate
from tunefront.storage import curves, intermediate_values
from tunefront.storage.attempts import Lease, holds


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
        # With several objectives, Optuna's TPE raises an error on pruned trials that have intermediate values.
        self._tells_optuna = list(assignment.spec.parsed_objectives()) == ["accuracy"]

    def rungs_of(self, candidate: Candidate) -> tuple[int, ...]:
        """Return the epochs after which a candidate's trial waits for a verdict, none of them its last one."""
        return tuple(rung for rung in self._rungs if rung < candidate.epochs)

    def begin(self, lease: Lease) -> None:
        """Forget what an earlier attempt told Optuna, so that a retry is a clean trial."""
        if self._tells_optuna and lease.attempt > 1:
            intermediate_values.forget(self._assignment.study.store, lease)

    def judge(self, running: RunningTrial) -> Verdict:
        """Judge a trial at a rung, by its epochs so far."""
        if self.pareto is not None:
            epochs = running.candidate.epochs
            finished = self._history.finished(epochs)
            pruner = replace(self.pareto, epochs=epochs)
            return pruner.judge(running.curve, running.measurements, finished, self._history.n_ended)
        if self._optuna is not None and self._is_held(running.lease):
            return self._optuna.judge(self._stored(running.lease), running.curve)
        return GO_ON

    def _is_held(self, lease: Lease) -> bool:
        """Return whether the lease is still held: Optuna's halving writes to the trial, which may not be ours now."""
        with self._assignment.study.store.engine.connect() as connection:
            return holds(connection, lease)

    def _stored(self, lease: Lease) -> optuna.trial.FrozenTrial:
        storage = self._assignment.study.store.optuna
        return storage.get_trial(storage.get_trial_id_from_study_id_trial_number(lease.study_id, lease.number))

    def note(self, running: RunningTrial) -> bool:
        """Write the trial's last epoch; return False without writing if its lease is no longer held."""
        epoch = running.curve[-1]
        if not curves.append(self._assignment.study.store, running.lease, epoch):
            return False
        if self._tells_optuna:
            intermediate_values.report(self._assignment.study.store, running.lease, epoch.epoch, epoch.accuracy)
        return True


def _pareto_pruner(assignment: Assignment, table: ParetoTable) -> ParetoPruner:
    spec = assignment.spec
    return ParetoPruner(
        spec.parsed_objectives(),
        spec.training.most_epochs,
        table.front_loss,
        may_end_early=spec.training.early_stopping is not None,
        n_trials=spec.trials,
        guessing=guessing_level(assignment.study.record.dataset, spec.accuracy_measure),
    )
