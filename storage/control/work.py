"""The work that goes on now in a store: which process trains which trials, and how fast."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from tunefront.storage.control.processes import Process, list_processes
from tunefront.storage.database import optuna_tables, schema
from tunefront.storage.database.connection import Store
from tunefront.storage.studies import database_time

_KEPT_SECONDS = 24 * 3600.0  # how long a process that was lost is shown


@dataclass(frozen=True)
class RunningWork:
    """A trial that is leased now.

    Attributes:
        slot: The slot that it runs on.
        n_epochs: The epochs that the running attempt has trained, without those of the checkpoint it went on from.
        seconds: How long the attempt runs.
    """

    study: str
    number: int
    slot: str
    n_epochs: int
    seconds: float


@dataclass(frozen=True)
class ProcessWork:
    """A process, and what it trains now.

    Attributes:
        seconds_unseen: How long ago it was last seen, on the database's clock.
        is_lost: Whether it has not been seen for as long as a lease lasts, and has not said that it ends.
    """

    process: Process
    work: Sequence[RunningWork]
    seconds_unseen: float
    is_lost: bool

    @property
    def epochs_an_hour(self) -> float | None:
        """The epochs an hour of its running trials together; None before the first of them is trained."""
        if not sum(each.n_epochs for each in self.work):
            return None
        return sum(3600 * each.n_epochs / each.seconds for each in self.work if each.seconds > 0)


def read_work(store: Store) -> list[ProcessWork]:
    """Read the processes that run or were lost in the last day, oldest first; the cost does not grow with trials."""
    now = database_time(store)
    work = _running(store, now)
    known = {each.process_id: each for each in list_processes(store, now - _KEPT_SECONDS) if each.ended_at is None}
    for process_id, process in _without_process(store, [key for key in work if key not in known]).items():
        known[process_id] = process
    lease_seconds = store.waits.lease_seconds
    return [
        ProcessWork(
            process,
            work.get(process_id, ()),
            max(now - process.seen_at, 0.0),
            is_lost=now - process.seen_at > lease_seconds,
        )
        for process_id, process in sorted(known.items(), key=lambda item: (item[1].started_at, item[1].name))
    ]


def _running(store: Store, now: float) -> dict[str, list[RunningWork]]:
    """Read the valid leases: a process's identifier, or else its worker's -> its trials."""
    leases, attempts, workers, epochs = schema.leases, schema.attempts, schema.workers, schema.epochs
    n_epochs = (
        sa.select(sa.func.count())
        .where((epochs.c.study_id == leases.c.study_id) & (epochs.c.number == leases.c.number))
        .scalar_subquery()
    )
    with store.engine.connect() as connection:
        columns = {column["name"] for column in sa.inspect(connection).get_columns(workers.name)}
        # An older tunefront made the tables, and a reader changes nothing.
        process_id = workers.c.process_id if "process_id" in columns else sa.literal("")
        resumed = {column["name"] for column in sa.inspect(connection).get_columns(attempts.name)}
        resumed_epochs = attempts.c.resumed_epochs if "resumed_epochs" in resumed else sa.literal(0)
        query = (
            sa.select(
                leases.c.worker_id,
                process_id.label("process_id"),
                optuna_tables.studies.c.study_name,
                leases.c.number,
                leases.c.slot,
                attempts.c.started_at,
                (n_epochs - resumed_epochs).label("n_epochs"),
            )
            .join_from(leases, optuna_tables.studies, optuna_tables.studies.c.study_id == leases.c.study_id)
            .join(
                attempts,
                (attempts.c.study_id == leases.c.study_id)
                & (attempts.c.number == leases.c.number)
                & (attempts.c.ending == "running"),
            )
            .join(workers, workers.c.worker_id == leases.c.worker_id, isouter=True)
            .where(leases.c.expires_at >= now)
            .order_by(leases.c.study_id, leases.c.number)
        )
        rows = connection.execute(query).all()
    found: dict[str, list[RunningWork]] = {}
    for row in rows:
        running = RunningWork(row.study_name, row.number, row.slot, max(row.n_epochs, 0), now - row.started_at)
        found.setdefault(row.process_id or row.worker_id, []).append(running)
    return found


def _without_process(store: Store, worker_ids: Sequence[str]) -> dict[str, Process]:
    """Return workers that no process is known of, as if they were processes: an older tunefront runs them."""
    table = schema.workers
    columns = [table.c[name] for name in ("worker_id", "host", "pid", "machine", "started_at", "seen_at")]
    with store.engine.connect() as connection:
        rows = connection.execute(sa.select(*columns).where(table.c.worker_id.in_(worker_ids))).all()
    found = {}
    for row in rows:
        host_name = json.loads(row.machine).get("host_name", row.host)
        name = f"{host_name}-{row.pid}"
        found[row.worker_id] = Process(
            row.worker_id, name, row.host, host_name, row.pid, (), row.started_at, row.seen_at, None, False, ""
        )
    return found
