"""The locks of a store: a lock file beside an SQLite database, else advisory locks of the server.

A server has a lock for each study, and one for the store as a whole, which keeps out the holders of all others.
An SQLite file has one writer at a time, so the lock beside it is that of the whole store for every study. The files in
artifacts, whose removal may wait for a network, have a lock of their own everywhere.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from tunefront.file_lock import try_lock
from tunefront.mistakes import TunefrontError
from tunefront.storage.database.passwords import masked
from tunefront.storage.database.server_locks import LockHolderError, mysql_lock, postgres_lock
from tunefront.storage.database.server_settings import connect_arguments, set_server_side
from tunefront.storage.database.waits import Waits

T = TypeVar("T")

ARTIFACTS_LOCK = 0  # in place of a study's number, which counts from 1


class StoreError(TunefrontError):
    """The store cannot be used: the message says why and what to do."""


class LockBusyError(StoreError):
    """A lock of the store is held by somebody else for long. A worker tries again; nothing has been done.

    Attributes:
        why: The message without what a person may do.
    """

    def __init__(self, why: str, remedy: str = "") -> None:
        super().__init__(f"{why}. {remedy}" if remedy else why)
        self.why = why


def in_turn(operation: Callable[[], T], say: Callable[[str], None]) -> T:
    """Run an operation that begins with taking a lock of the store, and wait for that as long as it takes.

    Args:
        operation: It may run again, because it does nothing before it has the lock.
        say: Tells a person who holds the lock.
    """
    while True:
        try:
            return operation()
        except LockBusyError as error:
            say(f"waiting: {error.why}")


@contextlib.contextmanager
def exclusive_lock(
    url: URL, engine: Engine | None, waits: Waits, *, study_id: int | None = None, is_worker: bool = False
) -> Iterator[Callable[[], None]]:
    """Hold a lock of the store at `url`, through an open `engine` if there is one.

    Yields:
        A check that the lock is still held, to be made before a write that relies on it. It raises an error of the
        database where another worker has ended the lock's connection, because this worker seemed lost.

    Args:
        study_id: The study to lock, or `ARTIFACTS_LOCK`; the whole store if None.
        is_worker: Whether a worker waits, which looks up the holder and comes back later. A command waits for longer.

    Raises:
        LockBusyError: If the lock is not to be had.
    """
    seconds = waits.lock_seconds if is_worker else waits.command_seconds
    shown = masked(str(url))
    if url.get_backend_name() == "sqlite":
        name = "artifacts.lock" if study_id == ARTIFACTS_LOCK else "lock"
        with _file_lock(Path(f"{url.database}.{name}"), seconds):
            yield lambda: None
        return
    lock_engine = engine if engine is not None else _own_engine(url, waits)
    is_postgres = url.get_backend_name() == "postgresql"
    lock = postgres_lock(lock_engine, study_id, waits, seconds) if is_postgres else mysql_lock(lock_engine, seconds)
    try:
        with lock as check:
            yield check
    except LockHolderError as error:
        raise _busy(shown, seconds, str(error)) from None
    finally:
        if engine is None:
            lock_engine.dispose()


def _own_engine(url: URL, waits: Waits) -> Engine:
    engine = sa.create_engine(url, connect_args=connect_arguments(url))
    set_server_side(engine, waits)  # else a server would keep the lock of a machine that falls silent for two hours
    return engine


@contextlib.contextmanager
def _file_lock(path: Path, seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not try_lock(descriptor):
            if time.monotonic() > deadline:
                raise _busy(str(path), seconds, "")
            time.sleep(0.005)
        yield
    finally:
        os.close(descriptor)  # also unlocks


def _busy(what: str, seconds: float, holder: str) -> LockBusyError:
    return LockBusyError(
        f"the lock of {what} was not to be had for {seconds:g} s{f': {holder} holds it' if holder else ''}",
        "Is another tunefront stopped (Ctrl-Z) or hanging? End it, then run this again",
    )
