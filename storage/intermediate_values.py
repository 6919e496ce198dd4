"""Optuna's intermediate values of a running trial: what its pruners compare and its dashboard draws.

Only for studies of one objective: with several, Optuna's TPE raises on a pruned trial that has any.
"""

from __future__ import annotations

import contextlib

from optuna.exceptions import UpdateFinishedTrialError

from tunefront.storage.attempts import Lease
from tunefront.storage.database.connection import Store
from tunefront.storage.database.optuna_tables import trial_intermediate_values as _values
from tunefront.storage.database.optuna_tables import trial_system_attributes as _attributes


def report(store: Store, lease: Lease, step: int, value: float) -> None:
    """Write one value of a leased trial; nothing if a person has told the trial meanwhile."""
    with contextlib.suppress(UpdateFinishedTrialError):
        store.optuna.set_trial_intermediate_value(_trial_id(store, lease), step, value)


def forget(store: Store, lease: Lease) -> None:
    """Drop what an earlier attempt left, its rungs of successive halving too: a retry is a clean trial."""
    trial_id = _trial_id(store, lease)
    is_rung = (_attributes.c.trial_id == trial_id) & _attributes.c.key.like("completed!_rung!_%", escape="!")
    with store.engine.begin() as connection:
        connection.execute(_values.delete().where(_values.c.trial_id == trial_id))
        connection.execute(_attributes.delete().where(is_rung))


def _trial_id(store: Store, lease: Lease) -> int:
    return store.optuna.get_trial_id_from_study_id_trial_number(lease.study_id, lease.number)
