"""What finished trials of a study look like to a pruner, read from the store as they come."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState

from tunefront.objectives.limits import Objective
from tunefront.search.pruning.finished_trials import FinishedTrial, FinishedTrials
from tunefront.storage import Store, counts, curves
from tunefront.storage.trials import is_feasible


class History:
    """The complete trials of a study, of all workers; each one's curve is read once.

    Args:
        epochs: Of a whole training.
    """

    def __init__(
        self, store: Store, study: optuna.Study, study_id: int, objectives: Sequence[Objective], epochs: int
    ) -> None:
        self._store = store
        self._study = study
        self._study_id = study_id
        self._objectives = objectives
        self._finished = FinishedTrials(epochs, [objective.measure.direction for objective in objectives])
        self._open: list[int] = []  # numbers of trials that had not ended at the last look
        self._n_known = 0
        self.n_ended = 0

    def finished(self) -> FinishedTrials:
        """Return every complete trial up to now, in the order they were seen; the same object each time.

        It also brings `n_ended` up to date: the trials that were completed or stopped. If the store cannot be
        read, nothing has changed, and the next look sees all.
        """
        trials = self._study.get_trials(deepcopy=False)
        looked_at = [*self._open, *range(self._n_known, len(trials))]  # Optuna lists trials by their numbers, from 0
        pruned = [number for number in looked_at if trials[number].state == TrialState.PRUNED]
        complete = [trials[number] for number in looked_at if trials[number].state == TrialState.COMPLETE]
        refused = counts.refused(self._store, self._study_id) if pruned else frozenset()
        found = self._read(complete)
        self._n_known = len(trials)
        self._open = [number for number in looked_at if not trials[number].state.is_finished()]
        self.n_ended += len(complete) + len(set(pruned) - refused)
        for trial in found:
            self._finished.add(trial)
        return self._finished

    def _read(self, new: Sequence[FrozenTrial]) -> list[FinishedTrial]:
        read = curves.load(self._store, self._study_id, [trial.number for trial in new]) if new else {}
        return [
            FinishedTrial.from_epochs(
                trial.number, read[trial.number], trial.values, is_feasible(trial, self._objectives)
            )
            for trial in new
            if trial.number in read  # a trial that a person told through Optuna may have no curve
        ]
