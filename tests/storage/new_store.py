"""A store in a new SQLite file: a copy of one whose tables were made once, because making them takes 0.1 s."""

from __future__ import annotations

import contextlib
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from tunefront.storage.database.connection import Store, open_store


def open_writer(url: str, **options: Any) -> Store:
    """Open a store to write; a SQLite file that is not there is a copy of an empty store's."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not (path := Path(str(parsed.database))).exists():
        _copy_empty_store(path)
    return open_store(url, is_writer=True, **options)


def _copy_empty_store(path: Path) -> None:
    """Make the file, whole from the beginning; one that another process has made meanwhile stays."""
    with tempfile.NamedTemporaryFile(dir=path.parent) as copy:
        copy.write(_empty_store())
        copy.flush()
        with contextlib.suppress(FileExistsError):
            os.link(copy.name, path)


@cache
def _empty_store() -> bytes:
    with tempfile.TemporaryDirectory(prefix="tunefront-") as folder:
        path = Path(folder) / "tunefront.db"
        store = open_store(f"sqlite:///{path}", is_writer=True)
        store.optuna.remove_session()
        store.engine.dispose()
        return path.read_bytes()
