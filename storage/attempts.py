"""Attempts at a trial: the lease of a running one, and its end."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tunefront.storage.database import schema
from tunefront.storage.outcomes import Outcome


@dataclass(frozen=True)
class Lease:
    """A worker's right to run one trial, until it ends or is no longer renewed."""

    study_id: int
    number: int
    attempt: int  # counts from 1
    worker_id: str


def holds(connection: Connection, lease: Lease) -> bool:
    """Return whether the worker still holds the lease, and the lease is that of the running attempt."""
    leases, attempts = schema.leases, schema.attempts
    holder = connection.execute(
        sa.select(leases.c.worker_id).where(of_trial(leases, lease.study_id, lease.number))
    ).scalar()
    is_open = connection.execute(
        sa.select(attempts.c.attempt).where(
            of_trial(attempts, lease.study_id, lease.number)
            & (attempts.c.attempt == lease.attempt)
            & (attempts.c.ending == "running")
        )
    ).scalar()
    return holder == lease.worker_id and is_open is not None


def note_intended(connection: Connection, lease: Lease, outcome: Outcome, reason: str, model_path: str) -> None:
    """Write how an attempt is going to end before Optuna is told.

    Should the worker die in between, whoever sweeps the trial reads the intended end here.
    """
    table = schema.attempts
    is_attempt = of_trial(table, lease.study_id, lease.number) & (table.c.attempt == lease.attempt)
    values = {"intended": outcome.value, "reason": reason, "model_path": model_path}
    connection.execute(table.update().where(is_attempt).values(**values))


def end_attempt(
    connection: Connection, study_id: int, number: int, outcome: Outcome, reason: str, model_path: str
) -> None:
    """End the attempt that runs, if one does, and the lease of its trial."""
    attempts = schema.attempts
    connection.execute(
        attempts.update()
        .where(of_trial(attempts, study_id, number) & (attempts.c.ending == "running"))
        .values(ended_at=schema.database_now(), ending=outcome.value, reason=reason, model_path=model_path)
    )
    connection.execute(schema.leases.delete().where(of_trial(schema.leases, study_id, number)))


def count_attempts(connection: Connection, study_id: int, number: int, ending: Outcome | None = None) -> int:
    """Count the attempts at a trial, all of them or those that ended as `ending` says."""
    table = schema.attempts
    query = sa.select(sa.func.count()).select_from(table).where(of_trial(table, study_id, number))
    if ending is not None:
        query = query.where(table.c.ending == ending.value)
    return connection.execute(query).scalar_one()


def of_trial(table: sa.Table, study_id: int, number: int) -> sa.ColumnElement[bool]:
    """Return the condition that a row of `table` belongs to this trial."""
    return (table.c.study_id == study_id) & (table.c.number == number)
