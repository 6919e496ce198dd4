"""The store's single lock: a lock file beside an SQLite database, else an advisory lock of the server."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from tunefront.file_lock import try_lock
from tunefront.mistakes import TunefrontError
from tunefront.storage.database.passwords import masked

_LOCK_SECONDS = 120.0
_LOCK_KEY = 0x74756E6566726F6E  # "tunefron", as PostgreSQL wants a 64-bit number


class StoreError(TunefrontError):
    """The store cannot be used: the message says why and what to do."""


@contextlib.contextmanager
def exclusive_lock(url: URL, engine: Engine | None) -> Iterator[None]:
    """Hold the lock of the store at `url`, through an open `engine` if there is one.

    Raises:
        StoreError: If the lock is not free within two minutes.
    """
    if url.get_backend_name() == "sqlite":
        with _file_lock(Path(f"{url.database}.lock")):
            yield
    else:
        with _server_lock(url, engine):
            yield


@contextlib.contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    deadline = time.monotonic() + _LOCK_SECONDS
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not try_lock(descriptor):
            _give_up_after(deadline, str(path))
            time.sleep(0.005)
        yield
    finally:
        os.close(descriptor)  # also unlocks


@contextlib.contextmanager
def _server_lock(url: URL, engine: Engine | None) -> Iterator[None]:
    """Hold an advisory lock of the server on a connection of its own; the lock ends with the connection."""
    is_postgres = url.get_backend_name() == "postgresql"
    acquire = "SELECT pg_try_advisory_lock(:key)" if is_postgres else "SELECT get_lock(:key, 0)"
    release = "SELECT pg_advisory_unlock(:key)" if is_postgres else "SELECT release_lock(:key)"
    key = _LOCK_KEY if is_postgres else "tunefront"
    deadline = time.monotonic() + _LOCK_SECONDS
    lock_engine = engine if engine is not None else sa.create_engine(url)
    try:
        with lock_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not connection.execute(sa.text(acquire), {"key": key}).scalar():
                _give_up_after(deadline, masked(str(url)))
                time.sleep(0.005)
            try:
                yield
            finally:
                with contextlib.suppress(sa.exc.DBAPIError):  # a lost connection has released the lock already
                    connection.execute(sa.text(release), {"key": key})
    finally:
        if engine is None:
            lock_engine.dispose()


def _give_up_after(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise StoreError(
            f"the lock of {what} was not to be had for {_LOCK_SECONDS:.0f} s: "
            "is another tunefront stopped (Ctrl-Z) or hanging? End it, then run this again"
        )
