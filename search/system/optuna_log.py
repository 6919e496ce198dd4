"""Optuna's own log, which everything in this process shares: turned down for a while, and up again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import optuna


@contextmanager
def quiet_optuna(level: int = optuna.logging.WARNING) -> Iterator[None]:
    """Let Optuna log nothing below `level`; whoever had it log more, or less, has that back afterwards.

    Its storage logs errors alone: while a database is away it would warn of each query, with the whole of its SQL.
    """
    before = optuna.logging.get_verbosity()
    storage_log = logging.getLogger("optuna.storages")
    storage_level = storage_log.level
    optuna.logging.set_verbosity(level)
    storage_log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
        storage_log.setLevel(storage_level)
