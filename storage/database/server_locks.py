"""Locks that a database server keeps for a connection, and gives up with it.

Whoever waits stands in the server's queue. On PostgreSQL, whoever has waited for long looks up who holds the lock, and
ends the holder's connection if that worker was last seen more than a lease ago: its machine has fallen silent.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from tunefront.storage.database import schema
from tunefront.storage.database.server_settings import APPLICATION
from tunefront.storage.database.waits import Waits

_STORE_KEY = 0x74756E6566726F6E  # "tunefron", as PostgreSQL wants a 64-bit number
_STUDY_KEY = 0x74756E65  # "tune", the first of two 32-bit numbers; the second is the study's
_LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's code for a lock_timeout that has run out

# Workers of all studies share the lock of the store. Whoever works on all studies, and a worker of an older tunefront,
# which knows only this lock, takes it alone.
_SET_TIMEOUT = "set_config('lock_timeout', :milliseconds, false)"
_TAKE_STUDY = f"SELECT {_SET_TIMEOUT}, pg_advisory_lock_shared(:store), pg_advisory_lock(:kind, :study)"
_TAKE_STORE = f"SELECT {_SET_TIMEOUT}, pg_advisory_lock(:store)"
_GIVE_UP = f"SELECT pg_advisory_unlock_all(), {_SET_TIMEOUT}"
_HOLDERS = """
    SELECT held.pid, activity.application_name, host(activity.client_addr) AS address, {seen_at} AS seen_at
    FROM pg_locks AS held JOIN pg_stat_activity AS activity ON activity.pid = held.pid {workers}
    WHERE held.locktype = 'advisory' AND held.granted AND held.pid <> pg_backend_pid()
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (held.classid::bigint = :store_high AND held.objid::bigint = :store_low AND held.objsubid = 1
             AND (:study IS NULL OR held.mode = 'ExclusiveLock')
           OR held.classid::bigint = :kind AND held.objid::bigint = :study AND held.objsubid = 2)
"""


_Holder = sa.Row[tuple[int, str, str, float]]  # a row of the query above
_SHORTEST_WAIT_SECONDS = 0.1


class LockHolderError(Exception):
    """The lock was not to be had in time; the message names its holder, as far as it is known."""


@contextlib.contextmanager
def postgres_lock(engine: Engine, study_id: int | None, waits: Waits, seconds: float) -> Iterator[Callable[[], None]]:
    """Hold the lock of a study, or of the store if `study_id` is None, on a connection of its own.

    Raises:
        LockHolderError: If somebody who is not silent holds it for so many seconds.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:

        def check() -> None:
            connection.execute(sa.text("SELECT 1"))

        try:
            _take(connection, study_id, waits, seconds)
            yield check
        finally:
            try:
                connection.execute(sa.text(_GIVE_UP), _timeout(waits.row_seconds))
            except sa.exc.SQLAlchemyError:  # a lost connection has released its locks already
                connection.invalidate()


def _take(connection: Connection, study_id: int | None, waits: Waits, seconds: float) -> None:
    keys: dict[str, int | str] = (
        {"store": _STORE_KEY} if study_id is None else {"store": _STORE_KEY, "kind": _STUDY_KEY, "study": study_id}
    )
    deadline, wait_seconds = time.monotonic() + seconds, waits.lock_seconds
    while True:
        try:
            take = sa.text(_TAKE_STORE if study_id is None else _TAKE_STUDY)
            connection.execute(take, keys | _timeout(wait_seconds))
            return
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
        connection.execute(sa.text("SELECT pg_advisory_unlock_all()"))  # the store's lock may be held already
        holders = _holders(connection, study_id)
        left_seconds = _end_silent(connection, holders, waits.lease_seconds)
        # A holder that has not renewed for long is most likely lost, so this is worth waiting for.
        if left_seconds > waits.lock_seconds and time.monotonic() >= deadline:
            raise LockHolderError(", ".join(_describe(holder) for holder in holders))
        wait_seconds = min(max(left_seconds, _SHORTEST_WAIT_SECONDS), waits.lock_seconds)


def _timeout(seconds: float) -> dict[str, str]:
    return {"milliseconds": str(round(1000 * seconds))}


def _holders(connection: Connection, study_id: int | None) -> list[_Holder]:
    """Return the connections that hold what was waited for, and when the worker of each was last seen alive."""
    query = _HOLDERS.format(seen_at="NULL", workers="")
    tables = {schema.workers.name: "worker_id", schema.processes.name: "process_id"}
    if set(tables) <= set(sa.inspect(connection).get_table_names()):  # while a store is made or upgraded, it has not
        joins = [
            f"LEFT JOIN {table} ON activity.application_name = '{APPLICATION}:' || {table}.{key}"
            for table, key in tables.items()
        ]
        seen_at = f"GREATEST({', '.join(f'{table}.seen_at' for table in tables)})"  # NULLs do not count
        query = _HOLDERS.format(seen_at=seen_at, workers=" ".join(joins))
    keys = {"store_high": _STORE_KEY >> 32, "store_low": _STORE_KEY & 0xFFFFFFFF, "kind": _STUDY_KEY}
    return list(
        connection.execute(
            sa.text(query).bindparams(sa.bindparam("study", type_=sa.BigInteger)), {**keys, "study": study_id}
        )
    )


def _end_silent(connection: Connection, holders: Sequence[_Holder], lease_seconds: float) -> float:
    """End the connections of workers that were last seen more than a lease ago.

    Returns:
        The seconds after which the first of the others will have been silent for a lease; 0 if one was ended, infinite
        if no worker holds the lock, or none that this one may end.
    """
    now = float(connection.execute(sa.select(schema.database_now())).scalar_one())
    left_seconds = math.inf
    for holder in holders:
        if holder.seen_at is None:
            continue
        left = holder.seen_at + lease_seconds - now
        if left <= 0:
            try:
                connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": holder.pid})
            except sa.exc.ProgrammingError:  # another user's connection, which only an administrator may end
                continue
        left_seconds = min(left_seconds, max(left, 0.0))
    return left_seconds


def _describe(holder: _Holder) -> str:
    where = f" on {holder.address}" if holder.address else ""
    return f"{holder.application_name or 'a connection without a name'}{where}"


@contextlib.contextmanager
def mysql_lock(engine: Engine, seconds: float) -> Iterator[Callable[[], None]]:
    """Hold MySQL's lock of the store, which is one for all its studies.

    Raises:
        LockHolderError: If the lock is not free within so many seconds.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:

        def check() -> None:
            connection.execute(sa.text("SELECT 1"))

        key = {"key": "tunefront"}
        if not connection.execute(sa.text("SELECT get_lock(:key, :seconds)"), {**key, "seconds": seconds}).scalar():
            raise LockHolderError("")
        try:
            yield check
        finally:
            with contextlib.suppress(sa.exc.SQLAlchemyError):  # a lost connection has released the lock already
                connection.execute(sa.text("SELECT release_lock(:key)"), key)
