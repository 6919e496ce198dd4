"""Optuna's tables that tunefront uses itself, where Optuna has no function for a change or for one transaction.

Optuna has had these columns since version 3.0; its own classes for the tables are private.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import Connection

from tunefront.storage.database.insertion import insert_rows

studies = sa.table("studies", sa.column("study_id"), sa.column("study_name"))
trials = sa.Table(  # with its key, which the database tells of a new row
    "trials",
    sa.MetaData(),
    sa.Column("trial_id", sa.Integer, primary_key=True),
    sa.Column("study_id"),
    sa.Column("number"),
    sa.Column("state"),
    sa.Column("datetime_start", sa.DateTime),
    sa.Column("datetime_complete", sa.DateTime),
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
trial_intermediate_values = sa.table(
    "trial_intermediate_values",
    sa.column("trial_id"),
    sa.column("step"),
    sa.column("intermediate_value"),
    sa.column("intermediate_value_type"),
)
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


def create(connection: Connection, study_id: int, last_id: int, last_number: int) -> FrozenTrial:
    """Make a trial that runs, as Optuna's storage does, which counts all earlier ones for its number.

    Args:
        last_id: The key of the last trial of the study that is known, whose number is `last_number`; -1 if none is.

    Raises:
        KeyError: If the study was deleted.
    """
    is_study = studies.c.study_id == study_id
    # Optuna numbers trials under this row's lock, so that no two have one number, and a later one has a higher key.
    if connection.execute(sa.select(studies.c.study_id).where(is_study).with_for_update()).scalar() is None:
        raise KeyError(f"there is no study {study_id} any more")
    is_later = (trials.c.study_id == study_id) & (trials.c.trial_id > last_id)
    newest = connection.execute(sa.select(sa.func.max(trials.c.number)).where(is_later)).scalar()
    number, started_at = (last_number if newest is None else newest) + 1, datetime.now()
    made = {"study_id": study_id, "number": number, "state": TrialState.RUNNING.name, "datetime_start": started_at}
    key = connection.execute(trials.insert().values(**made)).inserted_primary_key
    assert key is not None
    return FrozenTrial(
        number=number,
        state=TrialState.RUNNING,
        value=None,
        datetime_start=started_at,
        datetime_complete=None,
        params={},
        distributions={},
        user_attrs={},
        system_attrs={},
        intermediate_values={},
        trial_id=key.trial_id,
    )


def set_attribute(connection: Connection, table: sa.TableClause, trial_id: int, key: str, value: Any) -> None:
    """Write a user's or a system's attribute of a trial, in place of the one that it has, as Optuna's storage does."""
    is_it, content = (table.c.trial_id == trial_id) & (table.c.key == key), json.dumps(value)
    if not connection.execute(table.update().where(is_it).values(value_json=content)).rowcount:
        connection.execute(table.insert().values(trial_id=trial_id, key=key, value_json=content))


def delete_values(connection: Connection, study_id: int, number: int, last: int = 0) -> None:
    """Delete a trial's intermediate values after an epoch, and all that successive halving has found at its rungs."""
    values, attributes = trial_intermediate_values, trial_system_attributes
    ids = trial_ids(study_id, [number])
    is_rung = attributes.c.key.like("completed!_rung!_%", escape="!")
    connection.execute(values.delete().where(values.c.trial_id.in_(ids) & (values.c.step > last)))
    connection.execute(attributes.delete().where(attributes.c.trial_id.in_(ids) & is_rung))
