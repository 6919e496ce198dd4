"""Optuna's tables that tunefront uses itself, where Optuna has no function for a change or for one transaction.

Optuna has had these columns since version 3.0; its own classes for the tables are private.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from optuna.trial import TrialState
from sqlalchemy.engine import Connection

studies = sa.table("studies", sa.column("study_id"), sa.column("study_name"))
trials = sa.table("trials", sa.column("trial_id"), sa.column("study_id"), sa.column("number"), sa.column("state"))
trial_user_attributes = sa.table(
    "trial_user_attributes", sa.column("trial_id"), sa.column("key"), sa.column("value_json")
)
trial_system_attributes = sa.table(
    "trial_system_attributes", sa.column("trial_id"), sa.column("key"), sa.column("value_json")
)
trial_params = sa.table(
    "trial_params",
    sa.column("param_id"),
    sa.column("trial_id"),
    sa.column("param_name"),
    sa.column("param_value"),
    sa.column("distribution_json"),
)
trial_values = sa.table(
    "trial_values", sa.column("trial_id"), sa.column("objective"), sa.column("value"), sa.column("value_type")
)
trial_intermediate_values = sa.table("trial_intermediate_values", sa.column("trial_id"), sa.column("step"))
study_user_attributes = sa.table(
    "study_user_attributes", sa.column("study_id"), sa.column("key"), sa.column("value_json")
)


def trial_ids(study_id: int, numbers: Collection[int]) -> sa.Select[int]:
    """Return a query for the keys of a study's trials in Optuna's tables."""
    return sa.select(trials.c.trial_id).where((trials.c.study_id == study_id) & trials.c.number.in_(numbers))


def state_of(connection: Connection, trial_id: int) -> TrialState | None:
    """Return the state of a trial as this transaction sees it; None if there is no such trial."""
    found = connection.execute(sa.select(trials.c.state).where(trials.c.trial_id == trial_id)).scalar()
    return None if found is None else TrialState[found]


def delete_values(connection: Connection, study_id: int, number: int, last: int = 0) -> None:
    """Delete a trial's intermediate values after an epoch, and all that successive halving has found at its rungs."""
    values, attributes = trial_intermediate_values, trial_system_attributes
    ids = trial_ids(study_id, [number])
    is_rung = attributes.c.key.like("completed!_rung!_%", escape="!")
    connection.execute(values.delete().where(values.c.trial_id.in_(ids) & (values.c.step > last)))
    connection.execute(attributes.delete().where(attributes.c.trial_id.in_(ids) & is_rung))
