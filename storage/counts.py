"""The number of a study's trials in each state, and the order in which they finished."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from optuna.trial import TrialState

from tunefront.storage.database import schema
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome


@dataclass(frozen=True)
class Counts:
    """The number of a study's trials in each state."""

    complete: int
    pruned: int
    refused: int
    failed: int
    running: int
    waiting: int
    cancelled: int = 0

    @property
    def finished(self) -> int:
        """The trials that count towards the study's number of trials."""
        return self.complete + self.pruned

    def is_due(self, n_trials: int, *, only_waiting: bool = False) -> bool:
        """Return whether one more trial of so many is to be taken; with `only_waiting`, none is made."""
        return self.finished + self.running < n_trials and not (only_waiting and not self.waiting)


def count(study: OpenStudy, *, is_read: bool = False) -> Counts:
    """Count the study's trials by state; where states were read a moment ago, nothing is read."""
    numbers = study.states.count(is_read=is_read)
    return Counts(
        complete=numbers[TrialState.COMPLETE],
        pruned=numbers[TrialState.PRUNED],
        refused=numbers[Outcome.REFUSED],
        failed=numbers[TrialState.FAIL],
        running=numbers[TrialState.RUNNING],
        waiting=numbers[TrialState.WAITING],
        cancelled=numbers[Outcome.CANCELLED],
    )


def refused(study: OpenStudy) -> frozenset[int]:
    """Return the numbers of the trials that were or are being refused, which Optuna lists as pruned."""
    return _ended_as(study, Outcome.REFUSED)


def cancelled(study: OpenStudy) -> frozenset[int]:
    """Return the numbers of the trials that were or are being cancelled, which Optuna lists as failed."""
    return _ended_as(study, Outcome.CANCELLED)


def _ended_as(study: OpenStudy, outcome: Outcome) -> frozenset[int]:
    table = schema.attempts
    is_ending = (table.c.ending == "running") & (table.c.intended == outcome)
    query = sa.select(table.c.number).where(
        (table.c.study_id == study.study_id) & ((table.c.ending == outcome) | is_ending)
    )
    with study.store.engine.connect() as connection:
        return frozenset(connection.execute(query).scalars())


def finished_numbers(study: OpenStudy) -> list[int]:
    """Return the numbers of the complete and pruned trials in the order in which they finished."""
    table = schema.attempts
    query = (
        sa.select(table.c.number)
        .where((table.c.study_id == study.study_id) & table.c.ending.in_([Outcome.COMPLETE, Outcome.PRUNED]))
        .order_by(table.c.ended_at, table.c.number)
    )
    with study.store.engine.connect() as connection:
        return [int(number) for number in connection.execute(query).scalars()]
