"""Opening the store: one engine for Optuna's tables and ours.

Optuna itself reads first and writes later in one deferred transaction of SQLite. Two workers can then
take the same waiting trial, or lose a write to "database is locked". Here every transaction of a
writer begins ``IMMEDIATE``, tables are made under a lock, and what only reads uses plain transactions: else workers
that read thousands of trials at once would wait for each other until some give up.
"""

from __future__ import annotations

import contextlib
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from optuna.exceptions import OptunaError
from optuna.storages import RDBStorage
from sqlalchemy.engine import URL, Connection, Engine, make_url

from tunefront.storage.database import schema
from tunefront.storage.database.locks import StoreError, exclusive_lock
from tunefront.storage.database.migration import upgrade
from tunefront.storage.database.open_connections import OpenConnections
from tunefront.storage.database.optuna_storage import READS, TrialStorage, reads
from tunefront.storage.database.password_file import check_password_file, password_file
from tunefront.storage.database.passwords import has_stray_at, masked, may_have_password, written
from tunefront.storage.database.server_settings import connect_arguments, ping_after_pauses, set_server_side
from tunefront.storage.database.sqlite_file import check_sqlite_file
from tunefront.storage.database.waits import Waits

_BUSY_SECONDS = 30.0  # how long SQLite waits for another writer before it gives up


@dataclass(frozen=True)
class Store:
    """An open store.

    Attributes:
        url: The URL as given, password included: print :func:`tunefront.storage.database.passwords.masked` instead.
        engine: The engine that Optuna's storage and tunefront's own tables share.
        optuna: Optuna's view of the same database.
        is_writer: Whether transactions lock at their start.
        waits: How long this store's workers wait.
        worker_id: The worker that opened the store; empty for a command.
        connections: The open connections to a server; None for SQLite.
    """

    url: str = field(repr=False)
    engine: Engine
    optuna: RDBStorage
    is_writer: bool
    waits: Waits = field(default_factory=Waits)
    worker_id: str = ""
    connections: OpenConnections | None = None

    @contextlib.contextmanager
    def exclusively(self, study_id: int | None = None) -> Iterator[Callable[[], None]]:
        """Hold the lock of a study, or of the whole store, across processes and machines.

        Decisions that take several statements (is another trial due, and who takes it) are made under this
        lock. The database releases it when its holder dies.

        Yields:
            A check that the lock is still held, see :func:`exclusive_lock`.

        Raises:
            LockBusyError: If the lock is not to be had.
        """
        is_worker = bool(self.worker_id)
        with exclusive_lock(self.engine.url, self.engine, self.waits, study_id=study_id, is_worker=is_worker) as check:
            yield check

    def reading(self) -> Connection:
        """Return a connection for single reads, see :func:`reading`."""
        return reading(self.engine)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Begin a transaction that tunefront's own statements share with what this thread asks of Optuna's storage.

        Meanwhile nothing in this thread may use a connection of its own: on SQLite it would wait for this transaction.
        """
        sessions = self.optuna.scoped_session
        with self.engine.begin() as connection:
            sessions.remove()
            sessions(bind=connection, join_transaction_mode="rollback_only")  # Optuna's commits leave it open
            try:
                yield connection
            finally:
                sessions.remove()


def reading(engine: Engine) -> Connection:
    """Return a connection for single reads, which asks a server for each once, and not for a transaction around it."""
    if engine.dialect.name == "sqlite":  # its driver would begin transactions of its own afterwards
        return engine.connect().execution_options(**READS)
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


def load_tables() -> None:
    """Load what opening a store loads, while there is time. Writes nothing."""
    import optuna.storages._rdb.models  # noqa: F401
    import sqlalchemy.dialects.sqlite  # noqa: F401

    sa.orm.configure_mappers()


def has_studies(url: str) -> bool:
    """Return whether the database exists and has tunefront's tables. Writes nothing.

    Raises:
        StoreError: If the database cannot be opened or, for SQLite, could not be made.
    """
    parsed = _parse(url)
    _check_place(parsed, is_writer=True)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists():
        return False
    try:
        return _has_tables(parsed)
    except _OPENING_ERRORS as error:
        raise _cannot_open(url, error) from error


def open_store(url: str, *, is_writer: bool = False, worker_id: str = "", waits: Waits | None = None) -> Store:
    """Open the database at `url`; a writer makes the tables that are missing.

    Args:
        worker_id: The worker that opens it, by which others know its connections; empty for a command.
        waits: How long this store's workers wait; the usual times if None.

    Raises:
        StoreError: If there is no such database for a reader, or it cannot be opened, is not a
            database, lacks a driver, or belongs to a newer tunefront.
    """
    parsed, waits = _parse(url), waits or Waits()
    _check_place(parsed, is_writer=is_writer)
    try:
        if is_writer:
            with exclusive_lock(parsed, None, waits):
                optuna_storage, connections = _optuna_storage(parsed, waits, worker_id, is_writer=True)
                with optuna_storage.engine.begin() as connection:
                    upgrade(connection)
        else:
            _require_tables(parsed)
            optuna_storage, connections = _optuna_storage(parsed, waits, worker_id, is_writer=False)
            with optuna_storage.engine.connect() as connection:
                schema.check_version(connection)
    except _OPENING_ERRORS as error:
        raise _cannot_open(url, error) from error
    return Store(url, optuna_storage.engine, optuna_storage, is_writer, waits, worker_id, connections)


def close_all() -> None:
    """Close every store that this process has open: without it, SQLite's last writes stay in a file of their own."""
    for engine in list(_engines):
        engine.dispose()


_engines: weakref.WeakSet[Engine] = weakref.WeakSet()  # an engine lives longer than the store that was forgotten
_EXAMPLES = "Write it like sqlite:///tunefront.db or postgresql+psycopg://user@host/database"
_OPENING_ERRORS = (ImportError, ValueError, RuntimeError, OSError, sa.exc.SQLAlchemyError, OptunaError)


def _cannot_open(url: str, error: BaseException) -> StoreError:
    remedy = ""
    if isinstance(error, sa.exc.NoSuchModuleError):
        remedy = f". {_EXAMPLES}"
    elif isinstance(error, ModuleNotFoundError):
        remedy = f". Install the driver that this kind of database needs, or name another kind. {_EXAMPLES}"
    elif "password authentication failed" in _first_line(error) and "passfile=" in url:
        remedy = ". Is its password file that of another store, or an older one? Copy it anew from the store's machine"
    return StoreError(f"--storage {masked(url)} cannot be opened: {_first_line(error)}{remedy}")


def _parse(url: str) -> URL:
    if has_stray_at(url):
        raise StoreError(
            f"--storage {masked(url)} has an @ in its password, or behind it, so that nobody knows where the password "
            "ends. Write %40 for each @ but the one before the host"
        )
    try:
        return make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        why = "" if isinstance(error, sa.exc.ArgumentError) else ": its port is not a number"
        raise StoreError(f"--storage {_shown(url)} is not a database URL{why}. {_EXAMPLES}") from None


def _shown(url: str) -> str:
    """Return a text that is no URL for a message, unless it may have a password in it."""
    return "(not shown, it may have a password in it)" if may_have_password(url) else repr(url)


def _check_place(url: URL, *, is_writer: bool) -> None:
    """Refuse an SQLite file, or a password file, that cannot be used."""
    check_sqlite_file(url, is_writer=is_writer)
    named = password_file(url)
    if named is not None:
        check_password_file(named)


def _optuna_storage(
    url: URL, waits: Waits, worker_id: str, *, is_writer: bool
) -> tuple[RDBStorage, OpenConnections | None]:
    connections = None
    is_sqlite = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = {"timeout": _BUSY_SECONDS} if is_sqlite else connect_arguments(url, worker_id)
    if is_sqlite and is_writer and url.get_driver_name() == "pysqlite":
        arguments["factory"] = _WriterConnection
    storage = TrialStorage(
        # Optuna treats braces in the URL as a template. Here they are part of a path or password, so escape them.
        url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}"),
        engine_kwargs={"connect_args": arguments},
        skip_table_creation=not is_writer,
    )
    if is_sqlite:
        _begin_transactions_ourselves(storage.engine, is_writer)
    else:
        set_server_side(storage.engine, waits)
        ping_after_pauses(storage.engine)
        connections = OpenConnections(storage.engine)
    storage.engine.dispose()  # drops the connections that were made before the listeners were added
    _engines.add(storage.engine)
    return storage, connections


class _WriterConnection(sqlite3.Connection):
    """A writer's connection by Python's own driver, set also while Optuna makes its tables, each with its own commit.

    Connections of other drivers, such as one that encrypts, are set afterwards: they have a class of their own, and
    need the key before any statement.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        _set_for_writing(self)


def _set_for_writing(connection: Any) -> None:
    """Let readers never wait for this writer, by WAL, and its commits not for the disk, by NORMAL.

    A commit then survives a crash of the program. A power cut may lose the last commits, but leaves the database
    consistent.
    """
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin_transactions_ourselves(engine: Engine, is_writer: bool) -> None:
    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # pysqlite must not begin transactions of its own
        if is_writer and not isinstance(connection, _WriterConnection):
            _set_for_writing(connection)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer and not reads(connection) else "BEGIN")


def _require_tables(url: URL) -> None:
    if not _has_tables(url):
        raise StoreError(
            f"--storage {masked(written(url))} has no tunefront study in it. Start one with 'tunefront run SPEC', "
            "or name another storage with --storage or TUNEFRONT_STORAGE"
        )


def _has_tables(url: URL) -> bool:
    engine = sa.create_engine(url, connect_args=connect_arguments(url))
    try:
        return sa.inspect(engine).has_table(schema.studies.name)
    finally:
        engine.dispose()


def _first_line(error: BaseException) -> str:
    """Return the first line of the driver's own message, without SQLAlchemy's statement and link."""
    original = getattr(error, "orig", None) or error
    text = str(original).strip() or type(original).__name__
    return text.splitlines()[0]
