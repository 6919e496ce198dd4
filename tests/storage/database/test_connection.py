"""Opening a store: refusals, their messages, and passwords that must not leak."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import optuna
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import URL
from sqlalchemy.schema import CreateTable

from tests.storage.conftest import dispose
from tests.storage.study_fixture import VALUES, StudyFixture
from tunefront.storage.database import schema
from tunefront.storage.database.connection import has_studies, open_store
from tunefront.storage.database.locks import StoreError
from tunefront.storage.database.passwords import masked


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file, quoted as SQLAlchemy wants it: `%` as `%25`, and so on."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def test_a_study_works_when_the_path_is_odd(any_folder: Path) -> None:
    fixture = StudyFixture.make(sqlite_url(any_folder / "tune front.db"))
    fixture.finish(fixture.lease())
    assert (any_folder / "tune front.db").is_file()
    assert StudyFixture.make(fixture.store.url).trials()[0].values == VALUES
    assert has_studies(fixture.store.url)
    reader = open_store(fixture.store.url)
    assert reader.optuna.get_study_id_from_name("digits") == fixture.record.study_id


@pytest.mark.parametrize("is_writer", [False, True])
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "is not a database URL. Write it like sqlite:///tunefront.db"),
        ("tunefront.db", "is not a database URL. Write it like sqlite:///tunefront.db"),
        ("sqlite:/tunefront.db", "is not a database URL. Write it like sqlite:///tunefront.db"),
        ("sqlite://", "keeps the study in memory"),
        ("sqlite:///:memory:", "keeps the study in memory"),
        ("sqlite:////no/such/folder/tunefront.db", "there is no folder '/no/such/folder'. Make it"),
        ("nosuchdatabase://host/name", "cannot be opened: Can't load plugin"),
        ("postgresql+nosuchdriver://host/name", "cannot be opened: Can't load plugin"),
        ("postgresql+psycopg://user:pass@host:port/name", "is not a database URL"),
    ],
)
def test_open_store_when_the_url_cannot_be(url: str, expected: str, is_writer: bool) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(url, is_writer=is_writer)
    assert expected in str(caught.value)
    assert "--storage" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://user:s3cret@127.0.0.1:1/name",  # no server listens on this port
        "postgres://user:s3cret@host/name",
        "nosuchdatabase://user:s3cret@host/name",
        "postgresql:/user:s3cret@host/name",  # a slash is missing
        "postgresql+psycopg://user:s3cret@host:port/name",
        "postgresql+psycopg://user:p@s3cret@127.0.0.1:1/name",  # an @ that was not escaped
        "postgresql+psycopg://user:p@s3cret/s3cret@127.0.0.1:1/name",
        "postgresql+psycopg://user:p@s3cret:s3cret@127.0.0.1:1/name",
        "postgresql+psycopg://user:p@s3cret?s3cret@127.0.0.1:1/name",
        "postgresql+psycopg://anna/user:s3cret@127.0.0.1:1/name",
        "postgresql+psycopg://user@127.0.0.1:1/name?password=s3cret&connect_timeout=1",
        "host=127.0.0.1 password=s3cret dbname=name",  # a form that psycopg accepts
        "sqlite:////no/such/folder/a.db?password=s3cret",
    ],
)
@pytest.mark.parametrize("is_writer", [False, True])
def test_open_store_hides_the_password_when_it_fails(url: str, is_writer: bool) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(url, is_writer=is_writer)
    assert "s3cret" not in str(caught.value)


def test_an_unescaped_at_in_a_password_is_named_with_the_remedy() -> None:
    with pytest.raises(StoreError, match=r"--storage postgresql://u:\*\*\*@host/db has an @ in its .*Write %40"):
        open_store("postgresql://u:p@ss@host/db")


def test_a_store_shows_no_password_where_it_is_printed(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path / "tunefront.db"), is_writer=True)
    assert "s3cret" not in repr(replace(store, url="postgresql://u:s3cret@host/db"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql+psycopg://user:s3cret@host/name", "postgresql+psycopg://user:***@host/name"),
        ("postgresql+psycopg://user@host/name", "postgresql+psycopg://user@host/name"),
        ("sqlite:///tunefront.db", "sqlite:///tunefront.db"),
        (
            "postgresql+psycopg://host/name?password=s3cret&user=u&sslpassword=s3%26cret",
            "postgresql+psycopg://host/name?password=***&user=u&sslpassword=***",
        ),
        ("mysql://u:s3cret@host/name?charset=utf8&PASSWD=s3cret", "mysql://u:***@host/name?charset=utf8&PASSWD=***"),
        ("mssql+pyodbc:///?odbc_connect=UID%3Du%3BPWD%3Ds3cret", "mssql+pyodbc:///?odbc_connect=***"),
        ("postgresql://u:p@s3cret@host/name", "postgresql://u:***@host/name"),
        ("postgresql://u:p@s3cret:s3cret@host/name", "(not a database URL)"),
        ("postgresql://u:p@s3cret/s3cret?s3cret@host/name", "postgresql://u:***@host/name"),
        ("postgresql://u:p/s3cret@host/name", "postgresql://u:***@host/name"),
        ("postgresql://anna/u:s3cret@host/name", "postgresql://anna/u:***@host/name"),
        ("postgresql://u@host:5432/name", "postgresql://u@host:5432/name"),
        ("sqlite+pysqlcipher://:s3cret@/tunefront.db", "sqlite+pysqlcipher://:***@/tunefront.db"),
        ("sqlite:////home/me@work/a:b@c.db", "sqlite:////home/me@work/a:b@c.db"),
        ("s3cret", "(not a database URL)"),
        ("postgresql://user:s3cret@host:port/name", "(not a database URL)"),
    ],
)
def test_masked_hides_the_password(url: str, expected: str) -> None:
    assert masked(url) == expected


def test_open_store_says_how_to_start_when_a_reader_finds_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such file.*tunefront run SPEC.*TUNEFRONT_STORAGE"):
        open_store(sqlite_url(tmp_path / "none.db"))
    assert list(tmp_path.glob("none.db*")) == []  # read-only means that nothing is made


def test_open_store_says_how_to_start_when_a_reader_finds_no_study(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "optuna.db")
    optuna.create_study(storage=url)
    with pytest.raises(StoreError, match="no tunefront study in it.*tunefront run SPEC"):
        open_store(url)


@pytest.mark.parametrize("is_writer", [False, True])
@pytest.mark.parametrize("content", [b"this is a text file, and no database at all\n" * 100, b"\x00" * 4096])
def test_open_store_when_the_file_is_no_database(tmp_path: Path, content: bytes, is_writer: bool) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"--storage sqlite:///.*notes\.db cannot be opened: .*not a database"):
        open_store(sqlite_url(path), is_writer=is_writer)
    assert path.read_bytes() == content


@pytest.mark.parametrize("is_writer", [False, True])
def test_open_store_when_the_file_is_a_folder(tmp_path: Path, is_writer: bool) -> None:
    with pytest.raises(StoreError):
        open_store(sqlite_url(tmp_path), is_writer=is_writer)


def test_open_store_takes_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    assert not has_studies(sqlite_url(path))
    assert open_store(sqlite_url(path), is_writer=True).is_writer


def test_open_store_when_the_folder_is_read_only(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(StoreError, match="no permission to write there"):
        open_store(sqlite_url(folder / "tunefront.db"), is_writer=True)


def test_a_reader_opens_a_study_when_the_file_is_read_only(tmp_path: Path) -> None:
    fixture = StudyFixture.make(sqlite_url(tmp_path / "tunefront.db"))
    dispose(fixture.store)
    (tmp_path / "tunefront.db").chmod(stat.S_IRUSR)
    if os.access(tmp_path / "tunefront.db", os.W_OK):
        pytest.skip("this user may write everywhere")
    assert open_store(fixture.store.url).optuna.get_study_id_from_name("digits") == fixture.record.study_id


@pytest.mark.parametrize("is_writer", [False, True])
def test_open_store_when_a_newer_tunefront_wrote_it(fixture: StudyFixture, is_writer: bool) -> None:
    with fixture.store.engine.begin() as begun:
        begun.execute(schema.schema_version.update().values(version=schema.VERSION + 1))
    with pytest.raises(StoreError, match="newer"):
        open_store(fixture.store.url, is_writer=is_writer)


def test_open_store_keeps_what_is_there_when_it_opens_again(fixture: StudyFixture) -> None:
    fixture.finish(fixture.lease())
    again = StudyFixture.make(fixture.store.url)
    assert again.record == fixture.record
    assert [trial.state for trial in again.trials()] == ["complete"]
    dispose(again.store)


def test_open_store_works_beside_optuna_studies_that_were_there_first(url: str) -> None:
    plain = optuna.create_study(study_name="plain", storage=url)
    plain.tell(plain.ask(), 1.0)
    fixture = StudyFixture.make(url)
    fixture.finish(fixture.lease())
    assert [trial.number for trial in fixture.trials()] == [0]
    assert len(optuna.load_study(study_name="plain", storage=fixture.store.optuna).trials) == 1
    dispose(fixture.store)
    plain._storage.remove_session()


def test_has_studies_of_a_database(url: str) -> None:
    assert has_studies(url) is False
    store = open_store(url, is_writer=True)
    assert has_studies(url) is True
    dispose(store)


def test_a_writer_lets_readers_read_and_waits_for_the_disk_at_checkpoints_alone(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path / "tunefront.db"), is_writer=True)
    with store.reading() as one, store.reading() as other:
        for connection in (one, other):
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1  # NORMAL
    dispose(store)
    assert (tmp_path / "tunefront.db").read_bytes()[18:20] == b"\x02\x02"  # SQLite's file format: WAL


def test_another_driver_of_sqlite_has_connections_of_its_own_and_its_key_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []

    class Encrypting(sqlite3.Connection):
        """Stands in for a connection of sqlcipher3, which reads an encrypted file once it has the key."""

        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **settings)
            statements.clear()
            self.set_trace_callback(statements.append)

    driver = ModuleType("sqlcipher3")
    vars(driver).update({**vars(sqlite3), "connect": partial(sqlite3.connect, factory=Encrypting)})
    monkeypatch.setitem(sys.modules, "sqlcipher3", driver)
    store = open_store(f"sqlite+pysqlcipher://:s3cret@/{tmp_path / 'tunefront.db'}", is_writer=True)
    with store.reading() as connection:
        assert isinstance(connection.connection.dbapi_connection, Encrypting)
        assert statements[0] == 'pragma key="s3cret"'
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    dispose(store)


def test_has_studies_makes_no_file(tmp_path: Path) -> None:
    assert has_studies(sqlite_url(tmp_path / "none.db")) is False
    assert list(tmp_path.iterdir()) == []


def test_has_studies_when_the_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no folder"):
        has_studies(sqlite_url(tmp_path / "no" / "none.db"))


def test_times_are_stored_in_double_precision_when_the_database_is_mysql() -> None:
    # MySQL's FLOAT has 24 bits, so a time in seconds since 1970 would be rounded to two minutes.
    for table in schema.metadata.sorted_tables:
        for line in str(CreateTable(table).compile(dialect=mysql.dialect())).splitlines():
            assert "FLOAT" not in line, f"{table.name}: {line.strip()}"


def test_database_now_is_the_time_on_the_database_s_clock(fixture: StudyFixture) -> None:
    import time

    with fixture.store.engine.connect() as connected:
        now = connected.execute(sa.select(schema.database_now())).scalar_one()
    assert float(now) == pytest.approx(time.time(), abs=5.0)
