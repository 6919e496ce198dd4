"""The stopping rules to compare: none, the oracle, foresight, plain dominance, tunefront's own."""

from __future__ import annotations

from collections.abc import Sequence

from tunefront.objectives.dominance import dominating
from tunefront.search.pruning.finished_trials import FinishedTrial, FinishedTrials
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.search.pruning.rungs import geometric_rungs
from tunefront.search.replay.recorded_table import RecordedTable
from tunefront.search.spec.tables import ParetoTable


class NoPruning:
    """A rule that lets every trial run to its end."""

    asked_after: Sequence[int] = ()

    def start(self, candidate: int) -> None:
        """Do nothing."""

    def goes_on(self, candidate: int, epoch: int) -> bool:
        """Return True."""
        return True

    def end(self, candidate: int, is_complete: bool) -> None:
        """Do nothing."""


class Oracle(NoPruning):
    """A bound for any rule: it knows the front, and stops every other trial after its first epoch."""

    asked_after = (1,)

    def __init__(self, table: RecordedTable) -> None:
        self._table = table

    def goes_on(self, candidate: int, epoch: int) -> bool:
        """Return whether the candidate is on the front of the whole table."""
        return bool(self._table.is_front[candidate])


class Foresight(NoPruning):
    """A bound for rules that know how each trial would end, but not the trials to come.

    After a trial's first epoch, it stops the trial if a complete one dominates it when both have ended.
    """

    asked_after = (1,)

    def __init__(self, table: RecordedTable) -> None:
        self._table = table
        self._complete: list[int] = []

    def goes_on(self, candidate: int, epoch: int) -> bool:
        """Return whether no complete trial dominates the candidate's end."""
        values = self._table.values
        return not dominating(tuple(values[candidate]), values[self._complete], self._table.directions).any()

    def end(self, candidate: int, is_complete: bool) -> None:
        """Remember a complete trial."""
        if is_complete:
            self._complete.append(candidate)


class SameRungDominance(NoPruning):
    """A rule that stops a trial if another one dominated it at the same epoch, whatever happened to that one since."""

    def __init__(self, table: RecordedTable, factor: float = 1.5) -> None:
        self.asked_after = geometric_rungs(table.epochs, 1, factor)
        self._directions = table.directions
        self._values = {rung: table.values_at(rung) for rung in self.asked_after}
        self._reached: dict[int, list[int]] = {rung: [] for rung in self.asked_after}

    def goes_on(self, candidate: int, epoch: int) -> bool:
        """Return whether no trial that reached this epoch dominates the candidate there."""
        values = self._values[epoch]
        others = values[self._reached[epoch]]
        self._reached[epoch].append(candidate)
        return not dominating(tuple(values[candidate]), others, self._directions).any()


class Pareto(NoPruning):
    """The ``pareto`` pruner of `tunefront run`, which judges at the same epochs as `tunefront run`.

    Args:
        settings: The settings of the pruner; None takes its defaults.
    """

    def __init__(self, table: RecordedTable, settings: ParetoTable | None = None) -> None:
        settings = settings or ParetoTable()
        self.asked_after = geometric_rungs(table.epochs, settings.min_epochs, settings.rung_factor)
        self._table = table
        self._pruner = ParetoPruner(
            table.objectives,
            table.epochs,
            settings.front_loss,
            guessing=table.guessing,
            uses_tolerance=settings.tolerance,
        )
        self._finished = FinishedTrials(table.epochs, table.objectives.values())
        self._numbers: dict[int, int] = {}
        self._n_ended = 0

    def start(self, candidate: int) -> None:
        """Number the trial."""
        self._numbers[candidate] = len(self._numbers)

    def goes_on(self, candidate: int, epoch: int) -> bool:
        """Return whether the trial goes on after its epochs so far, given the trials that are complete."""
        curve = self._table.curves[candidate][:epoch]
        return self._pruner.judge(curve, self._table.known_early[candidate], self._finished, self._n_ended).goes_on

    def end(self, candidate: int, is_complete: bool) -> None:
        """Learn from a complete trial."""
        self._n_ended += 1
        if is_complete:
            table, number = self._table, self._numbers[candidate]
            values = table.values[candidate].tolist()
            curve, measure = table.curves[candidate], self._pruner.measure
            self._finished.add(FinishedTrial.from_epochs(number, curve, values, is_feasible=True, measure=measure))
