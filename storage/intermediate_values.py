"""Optuna's intermediate values of a running trial, which its pruners compare and its dashboard draws.

They are written only in studies of one objective: with several, Optuna's TPE fails on a pruned trial that has any.
"""

from __future__ import annotations

import contextlib

from optuna.exceptions import UpdateFinishedTrialError

from tunefront.storage.attempts import Lease
from tunefront.storage.database.connection import Store
from tunefront.storage.database.optuna_tables import delete_values


def report(store: Store, lease: Lease, step: int, value: float) -> None:
    """Write one value of a leased trial. Writes nothing if a person has ended the trial meanwhile."""
    trial_id = store.optuna.get_trial_id_from_study_id_trial_number(lease.study_id, lease.number)
    with contextlib.suppress(UpdateFinishedTrialError):
        store.optuna.set_trial_intermediate_value(trial_id, step, value)


def forget(store: Store, lease: Lease) -> None:
    """Delete the values and rungs of successive halving of an earlier attempt, so that a retry starts clean."""
    with store.engine.begin() as connection:
        delete_values(connection, lease.study_id, lease.number)
