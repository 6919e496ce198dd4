"""A copy of an SQLite file, of one moment, while others write to it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from tunefront.storage.database.connection import Store
from tunefront.storage.database.locks import StoreError


def copy_sqlite(store: Store, path: Path) -> None:
    """Copy the store's file to `path` by SQLite's own backup, in one step: writers wait for none of it.

    Raises:
        StoreError: If the file is damaged, or the disk is full.
    """
    try:
        with contextlib.closing(sqlite3.connect(path)) as copy:
            with contextlib.closing(store.engine.raw_connection()) as connection:
                source = connection.driver_connection
                assert isinstance(source, sqlite3.Connection)
                source.backup(copy)
            # The copy is one file, without a journal beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
            (said,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"the backup was not written: {error}") from error
    if said != "ok":
        raise StoreError(
            f"the storage is damaged, so that a backup of it would be of no use: {said}. Restore an earlier backup"
        )
