"""Attempts at a trial: the lease of a running one, what it has kept of its training, and its end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tunefront.storage.database import optuna_tables, schema
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome
from tunefront.storage.population import inherited


@dataclass(frozen=True)
class Lease:
    """A worker's right to run one trial, until it ends or is no longer renewed.

    Attributes:
        attempt: Counts from 1.
        resumed_from: The epoch of the checkpoint that the attempt goes on from; 0 if it begins anew.
        was_killed: Whether the trial's process was ended by signal 9 in an earlier attempt.
    """

    study_id: int
    number: int
    attempt: int
    worker_id: str
    resumed_from: int = 0
    was_killed: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a training had come at a checkpoint.

    Attributes:
        epoch: The last epoch that its curve has by then, counted from 1; 0 is the beginning.
        n_epochs: The epochs that were trained by then, those of all folds together.
    """

    epoch: int = 0
    n_epochs: int = 0


@dataclass(frozen=True)
class Attempt:
    """An attempt at a trial as the store has it.

    Attributes:
        attempt: Counts from 1.
        started_at: The start, in seconds on the database's clock, like `ended_at`.
        ending: ``"running"``, or the :class:`Outcome`.
        checkpoint_epochs: The epochs up to the newest checkpoint that it has written, those of all folds together; 0
            without one.
        resumed_epochs: The epochs up to the checkpoint that it went on from; 0 if it began anew.
        machine: The kind of machine that it ran on; empty if that is not known.
    """

    number: int
    attempt: int
    worker_id: str
    started_at: float
    ended_at: float | None
    ending: str
    reason: str
    model_path: str
    checkpoint_epochs: int = 0
    resumed_epochs: int = 0
    machine: str = ""


def read_attempts(connection: Connection, study_id: int, number: int | None = None) -> dict[int, list[Attempt]]:
    """Read the attempts at a study's trials, or at one of them: trial number -> its attempts in order."""
    table = schema.attempts
    columns = [table.c[name] for name in Attempt.__dataclass_fields__]
    if not has_checkpoints(connection):  # an older tunefront made the table, and a reader changes nothing
        columns = [column for column in columns if column.name not in _OF_CHECKPOINTS]
    is_wanted = table.c.study_id == study_id if number is None else of_trial(table, study_id, number)
    found: dict[int, list[Attempt]] = {}
    for row in connection.execute(sa.select(*columns).where(is_wanted).order_by(table.c.number, table.c.attempt)):
        found.setdefault(row[0], []).append(
            Attempt(*row)
        )  # in the order of its fields, the last of which may be missing
    return found


_OF_CHECKPOINTS = ("checkpoint_epochs", "resumed_epochs", "machine")


def has_checkpoints(connection: Connection) -> bool:
    """Return whether the tables have what attempts tell of checkpoints, since version 3."""
    return (connection.execute(sa.select(schema.schema_version.c.version)).scalar() or 0) >= 3


def attempts_at(study: OpenStudy, number: int) -> list[Attempt]:
    """Return the attempts at a trial, in order."""
    with study.store.engine.connect() as connection:
        return read_attempts(connection, study.study_id, number).get(number, [])


def attempts_in(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the attempts of one trial that its training consists of: the last one, and those that it went on from."""
    parts: list[Attempt] = []
    for attempt in attempts:
        parts = [*(part for part in parts if part.resumed_epochs < attempt.resumed_epochs), attempt]
    return parts


def n_lost_in_vain(attempts: Sequence[Attempt]) -> int:
    """Count the attempts at one trial that were lost, or are being lost, and came no further than an earlier one.

    They have written no checkpoint after that of all earlier ones. So a trial that is lost again and again either comes
    on, or is counted. A member of a population is asked anew in each turn: one that ended its last turn has come on.
    """
    furthest = n_lost = 0
    for attempt in attempts:
        if attempt.ending == Outcome.PAUSED:
            n_lost = 0
        n_lost += attempt.ending in (Outcome.LOST, "running") and attempt.checkpoint_epochs <= furthest
        furthest = max(furthest, attempt.checkpoint_epochs)
    return n_lost


def note_checkpoint(store: Store, lease: Lease, n_epochs: int) -> bool:
    """Write that an attempt has a checkpoint after so many epochs; return False if its lease is no longer held."""
    return _note(store, lease, checkpoint_epochs=n_epochs)


def note_resumed(store: Store, lease: Lease, progress: Progress) -> bool:
    """Write that an attempt goes on from an earlier checkpoint than it was to; later epochs of the curve are deleted.

    Returns False if its lease is no longer held.
    """
    return _note(store, lease, progress.epoch, resumed_epochs=progress.n_epochs)


def _note(store: Store, lease: Lease, last_epoch: int | None = None, **values: int) -> bool:
    table = schema.attempts
    is_attempt = of_trial(table, lease.study_id, lease.number) & (table.c.attempt == lease.attempt)
    with store.engine.begin() as connection:
        if not holds(connection, lease):
            return False
        connection.execute(table.update().where(is_attempt).values(**values))
        if last_epoch is not None:
            delete_epochs(connection, lease.study_id, lease.number, last_epoch)
    return True


def delete_epochs(connection: Connection, study_id: int, number: int, last: int) -> None:
    """Delete the epochs of a trial after its last one that counts, in Optuna's tables too.

    Weights that it inherited later count no more.
    """
    table = schema.epochs
    connection.execute(table.delete().where(of_trial(table, study_id, number) & (table.c.epoch > last)))
    optuna_tables.delete_values(connection, study_id, number, last)
    inherited.keep_until(connection, study_id, number, last)


def n_epochs_kept(connection: Connection, study_id: int, number: int) -> int:
    """Return how many of a trial's epochs the store has, from the first one on without a gap."""
    table = schema.epochs
    query = sa.select(table.c.epoch).where(of_trial(table, study_id, number)).order_by(table.c.epoch)
    found = connection.execute(query).scalars().all()
    return next((n for n, epoch in enumerate(found) if epoch != n + 1), len(found))


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
    is_open = of_trial(attempts, lease.study_id, lease.number) & (attempts.c.attempt == lease.attempt)
    is_open &= attempts.c.ending == "running"
    query = (
        sa.select(leases.c.worker_id)
        .join(attempts, (attempts.c.study_id == leases.c.study_id) & (attempts.c.number == leases.c.number))
        .where(of_trial(leases, lease.study_id, lease.number) & is_open)
    )
    return connection.execute(query).scalar() == lease.worker_id


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


def start_attempt(
    connection: Connection, lease: Lease, slot: str, machine: str, resumed_epochs: int, lease_seconds: float
) -> None:
    """Write a lease and its attempt.

    Raises:
        IntegrityError: If there is a lease of the trial.
    """
    key = {"study_id": lease.study_id, "number": lease.number, "worker_id": lease.worker_id}
    expires_at = schema.database_now() + lease_seconds
    connection.execute(schema.leases.insert().values(**key, slot=slot, expires_at=expires_at))
    connection.execute(
        schema.attempts.insert().values(
            **key,
            attempt=lease.attempt,
            started_at=schema.database_now(),
            ending="running",
            resumed_epochs=resumed_epochs,
            machine=machine,
        )
    )


def end_attempt(
    connection: Connection,
    study_id: int,
    number: int,
    outcome: Outcome,
    reason: str,
    model_path: str,
    *,
    is_intended: bool = False,
) -> None:
    """End the attempt that runs, if one does, and the lease of its trial.

    Args:
        is_intended: Whether its own worker ends it so.
    """
    attempts = schema.attempts
    intended = {"intended": outcome.value} if is_intended else {}
    connection.execute(
        attempts.update()
        .where(of_trial(attempts, study_id, number) & (attempts.c.ending == "running"))
        .values(ended_at=schema.database_now(), ending=outcome.value, reason=reason, model_path=model_path, **intended)
    )
    connection.execute(schema.leases.delete().where(of_trial(schema.leases, study_id, number)))


def of_trial(table: sa.Table, study_id: int, number: int) -> sa.ColumnElement[bool]:
    """Return the condition that a row of `table` belongs to this trial."""
    return (table.c.study_id == study_id) & (table.c.number == number)
