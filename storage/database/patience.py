"""Waiting for a database that cannot be reached."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from optuna.exceptions import StorageInternalError

T = TypeVar("T")


def patiently(operation: Callable[[], T], seconds: float = 45.0) -> T:
    """Run a store operation, and repeat it while the database cannot be reached, for less time than a lease lasts.

    The operation must be one that may run twice.
    """
    deadline = time.monotonic() + seconds
    pause = 0.05
    while True:
        try:
            return operation()
        except (sa.exc.OperationalError, sa.exc.InterfaceError, StorageInternalError):
            if time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)
            pause = min(pause * 2, 2.0)
