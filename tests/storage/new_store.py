"""A store in a new SQLite file: a copy of one whose tables were made once, because making them takes 0.1 s."""

from __future__ import annotations

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
        path.write_bytes(_empty_store())
    return open_store(url, is_writer=True, **options)


@cache
def _empty_store() -> bytes:
    with tempfile.TemporaryDirectory(prefix="tunefront-") as folder:
        path = Path(folder) / "tunefront.db"
        store = open_store(f"sqlite:///{path}", is_writer=True)
        store.optuna.remove_session()
        store.engine.dispose()
        return path.read_bytes()
