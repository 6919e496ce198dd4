"""Attempts at a trial: the lease of a running one, and its end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome


@dataclass(frozen=True)
class Lease:
    """A worker's right to run one trial, until it ends or is no longer renewed."""

    study_id: int
    number: int
    attempt: int  # counts from 1
    worker_id: str


@dataclass(frozen=True)
class StoredLease:
    """A lease of any worker as the store has it.

    Attributes:
        is_expired: Whether it has not been renewed for as long as a lease lasts.
        is_forgotten: Whether its worker has been seen since it expired, and so does not know that it has it.
    """

    worker_id: str
    expires_at: float
    is_expired: bool
    is_forgotten: bool

    def is_given_up(self, living_workers: Collection[str]) -> bool:
        """Return whether nobody will renew it: a worker whose process is known to live may yet, unless it forgot it."""
        return self.is_expired and (self.is_forgotten or self.worker_id not in living_workers)


def read_leases(study: OpenStudy) -> dict[int, StoredLease]:
    """Read the study's leases: trial number -> its lease."""
    leases, workers = schema.leases, schema.workers
    query = (
        sa.select(leases.c.number, leases.c.worker_id, leases.c.expires_at, workers.c.seen_at)
        .join_from(leases, workers, leases.c.worker_id == workers.c.worker_id, isouter=True)
        .where(leases.c.study_id == study.study_id)
    )
    with study.store.engine.connect() as connection:
        now = float(connection.execute(sa.select(schema.database_now())).scalar_one())
        rows = connection.execute(query).all()
    return {
        int(row.number): StoredLease(
            row.worker_id,
            row.expires_at,
            is_expired=row.expires_at < now,
            is_forgotten=row.seen_at is not None and row.seen_at > row.expires_at,
        )
        for row in rows
    }


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


def is_held(store: Store, lease: Lease) -> bool:
    """Return whether the worker still holds the lease, see :func:`holds`."""
    with store.engine.connect() as connection:
        return holds(connection, lease)


def has_ended(connection: Connection, lease: Lease, outcome: Outcome) -> bool:
    """Return whether the lease's worker has ended its attempt with this outcome already, but did not get the answer."""
    table = schema.attempts
    is_attempt = of_trial(table, lease.study_id, lease.number) & (table.c.attempt == lease.attempt)
    is_end = (table.c.ending == outcome.value) & (table.c.intended == outcome.value)
    query = sa.select(table.c.attempt).where(is_attempt & is_end & (table.c.worker_id == lease.worker_id))
    return connection.execute(query).scalar() is not None


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
