"""What finished trials of a study look like to a pruner, read from the store as they come."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from search.pruning import FinishedTrial
from storage import Store, curves


class History:
    """The complete trials of a study, of all workers; each one's curve is read once."""

    def __init__(self, store: Store, study: optuna.Study, study_id: int) -> None:
        self._store = store
        self._study = study
        self._study_id = study_id
        self._finished: dict[int, FinishedTrial] = {}

    def finished(self) -> Sequence[FinishedTrial]:
        """Every complete trial up to now, in the order of their numbers."""
        complete = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        new = [trial for trial in complete if trial.number not in self._finished]
        if new:
            read = curves.load(self._store, self._study_id, [trial.number for trial in new])
            for trial in new:
                accuracies = [epoch.accuracy for epoch in read.get(trial.number, [])]
                if accuracies:  # a trial that a person told through Optuna has no curve
                    self._finished[trial.number] = _finished(trial, accuracies)
        return [self._finished[number] for number in sorted(self._finished)]


def _finished(trial: FrozenTrial, accuracies: list[float]) -> FinishedTrial:
    return FinishedTrial(
        number=trial.number,
        best_so_far=np.maximum.accumulate(np.array(accuracies)),
        values=tuple(trial.values),
        is_feasible=all(value <= 0 for value in trial.constraints.values()),
    )
