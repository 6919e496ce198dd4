"""The processes that work for studies of a store: who they are, when they were last seen, and telling one to end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store
from tunefront.storage.database.locks import StoreError


@dataclass(frozen=True)
class Process:
    """A process that works for studies; times in seconds on the database's clock.

    Attributes:
        process_id: The identifier by which workers of studies name it.
        name: What people call it, such as ``"gpu3-4711"``; nobody has checked that it is true.
        host: Identifies one boot and one process namespace.
        devices: The kind of each slot's device.
        ended_at: When it ended in good order; None while it runs, or if it was lost.
        is_draining: Whether a person told it to end.
        wished_by: Who told it to end.
    """

    process_id: str
    name: str
    host: str
    host_name: str
    pid: int
    devices: Sequence[str]
    started_at: float
    seen_at: float
    ended_at: float | None
    is_draining: bool
    wished_by: str


def register_process(
    store: Store, process_id: str, host: str, host_name: str, pid: int, devices: Sequence[str], name: str = ""
) -> str:
    """Record a process that begins to work for studies, and return its name.

    Args:
        host: Identifies one boot and one process namespace.
        devices: The kind of each slot's device.
        name: What people are to call it; if empty, its host's name and its number there. Where another process that
            runs has that name, a number is added.
    """
    now = schema.database_now()
    with store.exclusively():
        taken = {process.name for process in running_processes(store)}
        wanted = name or f"{host_name}-{pid}"
        chosen = next(each for each in _numbered(wanted, len(taken) + 1) if each not in taken)
        with store.engine.begin() as connection:
            connection.execute(
                schema.processes.insert().values(
                    process_id=process_id,
                    name=chosen,
                    host=host,
                    host_name=host_name,
                    pid=pid,
                    devices=json.dumps(list(devices)),
                    started_at=now,
                    seen_at=now,
                )
            )
    return chosen


def note_seen(connection: Connection, process_id: str, now: float) -> None:
    """Store that a process was alive at a time on the database's clock; does not commit."""
    is_process = schema.processes.c.process_id == process_id
    connection.execute(schema.processes.update().where(is_process).values(seen_at=now))


def note_alive(store: Store, process_id: str) -> None:
    """Store that a process is alive, which the renewal of its leases does as long as it has any study."""
    is_process = schema.processes.c.process_id == process_id
    with store.engine.begin() as connection:
        connection.execute(schema.processes.update().where(is_process).values(seen_at=schema.database_now()))


def note_ended(store: Store, process_id: str) -> None:
    """Store that a process ends in good order."""
    now, is_process = schema.database_now(), schema.processes.c.process_id == process_id
    with store.engine.begin() as connection:
        connection.execute(schema.processes.update().where(is_process).values(seen_at=now, ended_at=now))


def list_processes(store: Store, since: float = 0.0) -> list[Process]:
    """Read the processes that were seen since a time on the database's clock, oldest first."""
    table = schema.processes
    with store.engine.connect() as connection:
        if not sa.inspect(connection).has_table(table.name):  # made by an older tunefront, and only read here
            return []
        query = sa.select(table).where(table.c.seen_at >= since).order_by(table.c.started_at, table.c.process_id)
        rows = connection.execute(query).all()
    return [
        Process(
            row.process_id,
            row.name,
            row.host,
            row.host_name,
            row.pid,
            tuple(json.loads(row.devices)),
            row.started_at,
            row.seen_at,
            row.ended_at,
            bool(row.is_draining),
            row.wished_by,
        )
        for row in rows
    ]


def running_processes(store: Store) -> list[Process]:
    """Read the processes that have not ended and were seen within a lease's time, oldest first."""
    with store.engine.connect() as connection:
        now = float(connection.execute(sa.select(schema.database_now())).scalar_one())
    return [process for process in list_processes(store, now - store.waits.lease_seconds) if process.ended_at is None]


def drain_worker(store: Store, name: str, by: str) -> Process:
    """Tell a running process to end: it lets trainings write their checkpoints, and gives trials back.

    Args:
        by: Who wishes it, as ``user@host``.

    Raises:
        StoreError: If no running process has that name; names those that run.
    """
    running = running_processes(store)
    found = next((process for process in running if process.name == name), None)
    if found is None:
        names = ", ".join(sorted(process.name for process in running))
        raise StoreError(f"no worker named {name!r} runs. " + (f"These run: {names}" if names else "None runs now"))
    values = {"is_draining": True, "wished_at": schema.database_now(), "wished_by": by}
    with store.engine.begin() as connection:
        is_process = schema.processes.c.process_id == found.process_id
        connection.execute(schema.processes.update().where(is_process).values(**values))
    return found


def _numbered(name: str, n_names: int) -> list[str]:
    return [name, *(f"{name}-{number}" for number in range(2, n_names + 1))]
