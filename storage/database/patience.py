"""Waiting for a database that cannot be reached."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from optuna.exceptions import StorageInternalError

T = TypeVar("T")

_SQL_MISTAKE = "SQLITE_ERROR"  # such as a missing table: waiting would not help
_READ_ONLY = "25006"  # PostgreSQL's code for a write to a server that only reads, as an old one after a failover


def is_away(error: BaseException) -> bool:
    """Return whether an error says that the database cannot be reached, or not in time, and may be later."""
    if isinstance(error, StorageInternalError):
        return True
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    if _READ_ONLY in (getattr(error.orig, "sqlstate", None), getattr(error.orig, "pgcode", None)):
        return True
    # A server that ends a connection, for example of a paused worker, may do so with any kind of error.
    is_lost = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) or error.connection_invalidated
    return is_lost and getattr(error.orig, "sqlite_errorname", "") != _SQL_MISTAKE


def is_of_database(error: BaseException) -> bool:
    """Return whether an error comes from the database, and says nothing of what was to be written."""
    return isinstance(error, StorageInternalError | sa.exc.SQLAlchemyError)


def patiently(operation: Callable[[], T], seconds: float = 45.0) -> T:
    """Run a store operation, and repeat it while the database cannot be reached, for less time than a lease lasts.

    The operation must be one that may run twice.
    """
    deadline = time.monotonic() + seconds
    pause = 0.05
    while True:
        try:
            return operation()
        except Exception as error:
            if not is_away(error) or time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)
            pause = min(pause * 2, 2.0)
