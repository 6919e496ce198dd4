"""The pruners of Optuna as rules, unchanged, on the score alone in a study of one objective."""

from __future__ import annotations

import optuna
from optuna.pruners import BasePruner
from optuna.trial import TrialState

from tunefront.search.replay.recorded_table import RecordedTable


class OptunaRule:
    """A rule that asks one of Optuna's pruners and tells it the score of each epoch.

    The study counts epochs from 1. A trial that has trained its last epoch is complete, and not judged again.
    """

    def __init__(self, table: RecordedTable, pruner: BasePruner) -> None:
        self.asked_after = range(1, table.epochs)
        self._table = table
        self._study = optuna.create_study(direction=table.measure.direction, pruner=pruner, sampler=_NoSampler())
        self._trials: dict[int, optuna.Trial] = {}

    def start(self, candidate: int) -> None:
        """Begin the study's next trial."""
        self._trials[candidate] = self._study.ask()

    def goes_on(self, candidate: int, epoch: int) -> bool:
        """Report the epoch's score, and ask the pruner."""
        trial = self._trials[candidate]
        trial.report(self._table.curves[candidate][epoch - 1].accuracy, epoch)
        return not trial.should_prune()

    def end(self, candidate: int, is_complete: bool) -> None:
        """Tell the study the trial's end."""
        trial = self._trials.pop(candidate)
        if is_complete:
            trial.report(self._table.curves[candidate][-1].accuracy, self._table.epochs)
            self._study.tell(trial, float(self._table.best_so_far[candidate, -1]))
        else:
            self._study.tell(trial, state=TrialState.PRUNED)


class _NoSampler(optuna.samplers.RandomSampler):
    """A sampler that is never asked; it is seeded, so that no entropy is drawn."""

    def __init__(self) -> None:
        super().__init__(seed=0)


def median(table: RecordedTable) -> OptunaRule:
    """Make the rule of ``MedianPruner`` with its defaults."""
    return OptunaRule(table, optuna.pruners.MedianPruner())


def halving(table: RecordedTable) -> OptunaRule:
    """Make the rule of ``SuccessiveHalvingPruner`` with its defaults."""
    return OptunaRule(table, optuna.pruners.SuccessiveHalvingPruner())
