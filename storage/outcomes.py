"""The outcomes of an attempt at a trial, and Optuna's state for each."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from optuna.trial import TrialState


class Outcome(enum.StrEnum):
    """The outcome of an attempt at a trial."""

    COMPLETE = "complete"
    PRUNED = "pruned"  # stopped early
    REFUSED = "refused"  # breaks a limit before training; costs no trial of the budget
    FAILED = "failed"
    CANCELLED = "cancelled"  # a person ended it; costs no trial of the budget, and is no failure
    RETURNED = "returned"  # interrupted, and given back to the queue
    LOST = "lost"  # the worker died; the trial was given back to the queue
    PAUSED = "paused"  # its turn is over; given back to the queue
    KILLED = "killed"  # the trial's process was ended by signal 9; given back to the queue, once


STATES: Mapping[Outcome, TrialState] = {
    Outcome.COMPLETE: TrialState.COMPLETE,
    Outcome.PRUNED: TrialState.PRUNED,
    Outcome.REFUSED: TrialState.PRUNED,
    Outcome.FAILED: TrialState.FAIL,
    Outcome.CANCELLED: TrialState.FAIL,
    Outcome.RETURNED: TrialState.WAITING,
    Outcome.LOST: TrialState.WAITING,
    Outcome.PAUSED: TrialState.WAITING,
    Outcome.KILLED: TrialState.WAITING,
}
