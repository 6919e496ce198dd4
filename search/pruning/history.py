"""The history of a study for a pruner: its finished trials, read from the store as they come."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from tunefront.objectives.limits import Objective
from tunefront.search.pruning.finished_trials import (
    FinishedByEpochs,
    FinishedTrial,
    FinishedTrials,
    score_measure,
)
from tunefront.spaces.candidate import EPOCHS_PARAMETER
from tunefront.storage import counts, curves
from tunefront.storage.measurements import load_named
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.trials import PASSES, is_feasible


class History:
    """The complete trials of all workers of a study; each curve is read once.

    Args:
        epochs: The epochs of a whole training, of trials that have no number of their own.
        extra: Limits on measures that are no objectives.
    """

    def __init__(
        self, study: OpenStudy, objectives: Sequence[Objective], epochs: int, extra: Sequence[Objective] = ()
    ) -> None:
        self._study = study
        self._objectives = objectives
        self._epochs = epochs
        self._measure = score_measure(objectives)
        self._finished = FinishedByEpochs(objectives)
        self._extra = extra
        self._open: list[int] = []  # numbers of trials that had not ended at the last look
        self._n_known = 0
        self.n_ended = 0

    def finished(self, epochs: int) -> FinishedTrials:
        """Return every complete trial up to now, in the order in which they were seen, for trials of so many epochs.

        It is the same object each time.

        It also updates `n_ended`, the number of trials that were completed or stopped. If the store cannot be read,
        nothing changes, and the next call reads all that was missed.
        """
        trials = self._study.optuna.get_trials(deepcopy=False)
        looked_at = [*self._open, *range(self._n_known, len(trials))]  # Optuna lists trials by their numbers, from 0
        pruned = [number for number in looked_at if trials[number].state == TrialState.PRUNED]
        complete = [trials[number] for number in looked_at if trials[number].state == TrialState.COMPLETE]
        refused = counts.refused(self._study) if pruned else frozenset()
        found = self._read(complete)
        self._n_known = len(trials)
        self._open = [number for number in looked_at if not trials[number].state.is_finished()]
        self.n_ended += len(complete) + len(set(pruned) - refused)
        for trial in found:
            self._finished.add(trial)
        return self._finished.of(epochs)

    def _read(self, new: Sequence[FrozenTrial]) -> list[FinishedTrial]:
        numbers = [trial.number for trial in new]
        read = curves.load(self._study, numbers) if new else {}
        passes = load_named(self._study, PASSES.values(), numbers) if new else {}
        return [
            FinishedTrial.from_epochs(
                trial.number,
                read[trial.number],
                trial.values,
                is_feasible(trial, self._objectives, self._extra),
                self._measure,
                n_planned=int(trial.params.get(EPOCHS_PARAMETER, self._epochs)),
                measurements=passes.get(trial.number),
            )
            for trial in new
            if trial.number in read  # a trial that a person completed through Optuna may have no curve
        ]
