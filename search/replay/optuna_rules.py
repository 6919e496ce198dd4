"""Optuna's own pruners on accuracy alone, as they are, in a study of one objective."""

from __future__ import annotations

import optuna
from optuna.pruners import BasePruner
from optuna.trial import TrialState

from tunefront.search.replay.recorded_table import RecordedTable


class OptunaRule:
    """A pruner of Optuna's, told the accuracy of each epoch.

    The study counts epochs from 1. A trial that has trained its last epoch is complete: it is not asked again.
    """

    def __init__(self, table: RecordedTable, pruner: BasePruner) -> None:
        self.asked_after = range(1, table.epochs)
        self._table = table
        self._study = optuna.create_study(direction="maximize", pruner=pruner, sampler=_NoSampler())
        self._trials: dict[int, optuna.Trial] = {}

    def start(self, candidate: int) -> None:
        """Begin the study's next trial."""
        self._trials[candidate] = self._study.ask()

    def goes_on(self, candidate: int, epoch: int) -> bool:
        """Report the epoch's accuracy, and ask."""
        trial = self._trials[candidate]
        trial.report(self._table.curves[candidate][epoch - 1].accuracy, epoch)
        return not trial.should_prune()

    def end(self, candidate: int, is_complete: bool) -> None:
        """Tell the study."""
        trial = self._trials.pop(candidate)
        if is_complete:
            trial.report(self._table.curves[candidate][-1].accuracy, self._table.epochs)
            self._study.tell(trial, float(self._table.best_so_far[candidate, -1]))
        else:
            self._study.tell(trial, state=TrialState.PRUNED)


class _NoSampler(optuna.samplers.RandomSampler):
    """Nothing is sampled here; seeded, so that no entropy is drawn."""

    def __init__(self) -> None:
        super().__init__(seed=0)


def median(table: RecordedTable) -> OptunaRule:
    """``MedianPruner`` with its defaults."""
    return OptunaRule(table, optuna.pruners.MedianPruner())


def halving(table: RecordedTable) -> OptunaRule:
    """``SuccessiveHalvingPruner`` with its defaults."""
    return OptunaRule(table, optuna.pruners.SuccessiveHalvingPruner())
