"""Fixtures that run every store test on SQLite and on a real PostgreSQL, each on a fresh database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.postgres import PostgresServer
from tests.storage.study_fixture import StudyFixture
from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store, open_store
from tunefront.storage.database.migration import VERSION_TABLE

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.server)]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with request.getfixturevalue("postgres").database() as made:
        yield made


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with a study without trials, to be copied."""
    path = tmp_path_factory.mktemp("template") / "tunefront.db"
    dispose(StudyFixture.make(f"sqlite:///{path}").store)
    return path


@pytest.fixture(scope="session")
def postgres_store(postgres: PostgresServer) -> Iterator[Store]:
    """An open store on PostgreSQL, shared because making its tables takes longer than a test."""
    with postgres.database() as made:
        store = open_store(made, is_writer=True)
        yield store
        dispose(store)


@pytest.fixture(params=KINDS)
def fixture(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StudyFixture]:
    """A study without trials, in an otherwise empty database of each kind."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "tunefront.db")
        made = StudyFixture.make(f"sqlite:///{path}")
        yield made
        dispose(made.store)
        return
    store: Store = request.getfixturevalue("postgres_store")
    empty(store)
    yield StudyFixture.on(store)


def empty(store: Store) -> None:
    """Empty a store's tables of everything that earlier tests left."""
    dispose(store)
    kept = {"alembic_version", "version_info", schema.schema_version.name, VERSION_TABLE}
    names = [name for name in sa.inspect(store.engine).get_table_names() if name not in kept]
    with store.engine.begin() as connection:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) {others}"))
        connection.execute(sa.text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY"))
        connection.execute(schema.schema_version.update().values(version=schema.VERSION))


def dispose(store: Store) -> None:
    """Close a store's connections, so that its database can be copied or dropped."""
    store.optuna.remove_session()
    store.engine.dispose()
