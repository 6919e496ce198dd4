"""Optuna's tables that tunefront uses itself, where Optuna has no function for a change or for one transaction.

Optuna has had these columns since version 3.0; its own classes for the tables are private.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from optuna.trial import TrialState
from sqlalchemy.engine import Connection

from tunefront.storage.database.insertion import insert_rows

studies = sa.table("studies", sa.column("study_id"), sa.column("study_name"))
trials = sa.table(
    "trials",
    sa.column("trial_id"),
    sa.column("study_id"),
    sa.column("number"),
    sa.column("state"),
    sa.column("datetime_complete"),
)
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


def state_of(connection: Connection, trial_id: int, *, for_update: bool = False) -> TrialState | None:
    """Return the state of a trial as this transaction sees it; None if there is no such trial.

    With `for_update` nobody else changes it until the transaction ends.
    """
    query = sa.select(trials.c.state).where(trials.c.trial_id == trial_id)
    found = connection.execute(query.with_for_update() if for_update else query).scalar()
    return None if found is None else TrialState[found]


def end(connection: Connection, trial_id: int, state: TrialState, values: Sequence[float] | None) -> None:
    """End a trial that runs, as Optuna's storage does: with a finite value for each objective, if it has values."""
    rows = [
        {"trial_id": trial_id, "objective": objective, "value": value, "value_type": "FINITE"}
        for objective, value in enumerate(values or ())
    ]
    insert_rows(connection, trial_values, rows)
    is_running = (trials.c.trial_id == trial_id) & (sa.cast(trials.c.state, sa.String) == TrialState.RUNNING.name)
    ended = {"state": state.name, "datetime_complete": datetime.now()}  # Optuna's times are those of the machine
    if connection.execute(trials.update().where(is_running).values(**ended)).rowcount != 1:
        raise ValueError("the trial does not run, so it cannot end")


def delete_values(connection: Connection, study_id: int, number: int, last: int = 0) -> None:
    """Delete a trial's intermediate values after an epoch, and all that successive halving has found at its rungs."""
    values, attributes = trial_intermediate_values, trial_system_attributes
    ids = trial_ids(study_id, [number])
    is_rung = attributes.c.key.like("completed!_rung!_%", escape="!")
    connection.execute(values.delete().where(values.c.trial_id.in_(ids) & (values.c.step > last)))
    connection.execute(attributes.delete().where(attributes.c.trial_id.in_(ids) & is_rung))
