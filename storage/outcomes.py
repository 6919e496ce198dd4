"""How an attempt at a trial ends, and what Optuna calls that."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from optuna.trial import TrialState


class Outcome(enum.StrEnum):
    """How an attempt at a trial ended."""

    COMPLETE = "complete"
    PRUNED = "pruned"  # stopped early
    REFUSED = "refused"  # breaks a limit before training; costs no trial of the budget
    FAILED = "failed"
    RETURNED = "returned"  # to the queue: interrupted
    LOST = "lost"  # its worker was; back in the queue


STATES: Mapping[Outcome, TrialState] = {
    Outcome.COMPLETE: TrialState.COMPLETE,
    Outcome.PRUNED: TrialState.PRUNED,
    Outcome.REFUSED: TrialState.PRUNED,
    Outcome.FAILED: TrialState.FAIL,
    Outcome.RETURNED: TrialState.WAITING,
    Outcome.LOST: TrialState.WAITING,
}
