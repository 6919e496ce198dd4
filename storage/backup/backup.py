"""The backup of a store of any kind, as one file."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import URL

from tunefront.storage.backup.postgres_dump import dump_postgres
from tunefront.storage.backup.sqlite_copy import copy_sqlite
from tunefront.storage.database.connection import Store, open_store
from tunefront.storage.database.locks import StoreError
from tunefront.storage.files import sync

_ENDINGS = {"sqlite": "db", "postgresql": "dump"}


@dataclass(frozen=True)
class Backup:
    """A backup that was made.

    Attributes:
        restore: How to put it back: lines of commands, and of words that begin with ``#``.
    """

    path: Path
    n_bytes: int
    restore: Sequence[str]


def back_up(url: str, to: Path | None = None, *, now: datetime | None = None) -> Backup:
    """Write a backup of the store at `url`: all of one moment, and the file whole or not at all.

    Args:
        to: The file; None for one of the current folder, with the time in its name.

    Raises:
        StoreError: If there is no such store, the file exists, or this kind of database is not backed up here.
        ServerError: If PostgreSQL's pg_dump is missing, older than the server, or fails.
    """
    store = open_store(url)  # finds mistakes, and that it is a storage of tunefront
    try:
        return _back_up(store, to, now or datetime.now())
    finally:
        store.optuna.remove_session()
        store.engine.dispose()


def _back_up(store: Store, to: Path | None, moment: datetime) -> Backup:
    kind = store.engine.url.get_backend_name()
    if kind not in _ENDINGS:
        raise StoreError(f"--storage is {kind}, which 'tunefront store backup' does not know: use that database's own")
    path = to if to is not None else Path(f"tunefront-{moment:%Y-%m-%d-%H%M%S}.{_ENDINGS[kind]}")
    if path.is_dir():
        raise StoreError(f"--to {path}: this is a folder. Name a file in it: {path / f'tunefront.{_ENDINGS[kind]}'}")
    if path.exists():
        raise StoreError(f"--to {path}: there is such a file already. Name another one, or move it away")
    if not path.parent.is_dir():
        raise StoreError(f"--to {path}: there is no folder {str(path.parent)!r}. Make it, or name another file")
    write: Callable[[Path], None]
    restore: Sequence[str]
    if kind == "sqlite":
        write, restore = (lambda partial: copy_sqlite(store, partial)), _restore_sqlite(store.engine.url, path)
    else:
        dump = dump_postgres(store)
        write, restore = dump.write, dump.restore(path)
    _write_whole(path, write)
    return Backup(path, path.stat().st_size, restore)


def _write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file beside `path`, bring it to the disk, and rename it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    try:
        write(partial)
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _restore_sqlite(url: URL, path: Path) -> list[str]:
    database = Path(str(url.database))
    here, there = shlex.quote(str(path)), shlex.quote(str(database))
    journals = " ".join(shlex.quote(f"{database}{ending}") for ending in ("-wal", "-shm"))
    return [
        "# it is a storage itself, to look into:",
        f"tunefront status --storage {shlex.quote(URL.create('sqlite', database=str(path)).render_as_string())}",
        "# to put it back, end all runs of the storage first:",
        f"rm -f {journals} && cp {here} {there}",
    ]
