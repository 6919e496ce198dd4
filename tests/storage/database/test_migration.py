"""Migrations make the tables that the code expects, from every version, in one step or several."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tunefront.storage.database import migration, schema
from tunefront.storage.database.connection import open_store
from tunefront.storage.database.locks import StoreError

ASSETS = Path(__file__).parents[1] / "assets"


def differences(url: str) -> list[object]:
    """Return the changes that Alembic would make to turn a database's tables into those of the code."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        options = {"include_object": migration.is_ours, "version_table": migration.VERSION_TABLE, "compare_type": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata))


def versions(url: str) -> tuple[list[int], list[str]]:
    """Return the version for older tunefronts, and Alembic's."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        numbers = connection.execute(sa.select(schema.schema_version.c.version)).scalars().all()
        revisions = connection.exec_driver_sql("SELECT version_num FROM tunefront_alembic").scalars().all()
    return list(numbers), list(revisions)


LATEST = ([schema.VERSION], [f"{schema.VERSION:04}"])


def test_a_new_database_has_the_tables_of_the_code(url: str) -> None:
    open_store(url, is_writer=True)
    assert differences(url) == []
    assert versions(url) == LATEST


@pytest.fixture(params=["schema-1.sqlite"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    shutil.copy(ASSETS / request.param, tmp_path / "old.sqlite")
    return f"sqlite:///{tmp_path / 'old.sqlite'}"


def test_a_writer_brings_an_old_database_to_this_version(old_url: str) -> None:
    assert differences(old_url) != []
    open_store(old_url, is_writer=True)
    assert differences(old_url) == []
    assert versions(old_url) == LATEST
    open_store(old_url, is_writer=True)
    assert versions(old_url) == LATEST


def test_attempts_of_a_version_without_checkpoints_began_anew(tmp_path: Path) -> None:
    url = f"sqlite:///{shutil.copy(ASSETS / 'schema-2.sqlite', tmp_path / 'old.sqlite')}"
    open_store(url, is_writer=True)
    assert (differences(url), versions(url)) == ([], LATEST)
    columns = [schema.attempts.c[name] for name in ("checkpoint_epochs", "resumed_epochs", "machine")]
    with sa.create_engine(url).connect() as connection:
        assert set(connection.execute(sa.select(*columns))) == {(0, 0, "")}


def test_a_reader_changes_nothing(old_url: str) -> None:
    path = Path(old_url.removeprefix("sqlite:///"))
    before = path.read_bytes()
    open_store(old_url)
    assert path.read_bytes() == before


def test_tables_that_were_added_without_a_version_stay_with_their_rows(old_url: str) -> None:
    engine = sa.create_engine(old_url)
    with engine.begin() as connection:
        schema.answers.create(connection)
        row = {"study_id": 1, "number": 2, "split": "test", "content": b"kept"}
        connection.execute(schema.answers.insert().values(**row))
    open_store(old_url, is_writer=True)
    assert (differences(old_url), versions(old_url)) == ([], LATEST)
    with engine.connect() as connection:
        assert connection.execute(sa.select(schema.answers.c.content)).scalar() == b"kept"


def test_tables_of_optuna_and_of_others_are_left_alone(old_url: str) -> None:
    engine = sa.create_engine(old_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (text TEXT)")
    names = set(sa.inspect(engine).get_table_names())
    open_store(old_url, is_writer=True)
    added = {"answers", "artifacts", "cancellations", "processes"}
    added = {migration.VERSION_TABLE, *(f"tunefront_{name}" for name in added)}
    assert set(sa.inspect(sa.create_engine(old_url)).get_table_names()) == names | added


def test_an_older_tunefront_says_that_a_newer_is_needed(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(old_url, is_writer=True)
    monkeypatch.setattr(schema, "VERSION", schema.VERSION - 1)
    monkeypatch.setattr(migration, "VERSION", schema.VERSION)
    for is_writer in (False, True):
        with pytest.raises(StoreError, match=f"tables of version {schema.VERSION + 1}.*install a newer tunefront"):
            open_store(old_url, is_writer=is_writer)


def test_a_migration_that_fails_leaves_the_database_as_it_was(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(migration, "VERSION", [2])  # a list cannot be stored, so the last step fails
        with pytest.raises(StoreError):
            open_store(old_url, is_writer=True)
    tables = sa.inspect(sa.create_engine(old_url)).get_table_names()
    assert migration.VERSION_TABLE not in tables
    assert "tunefront_answers" not in tables
    open_store(old_url, is_writer=True)
    assert versions(old_url) == LATEST


def test_every_version_has_one_migration_and_one_way() -> None:
    scripts = ScriptDirectory(str(Path(migration.__file__).with_name("migrations")))
    found = [script.revision for script in scripts.walk_revisions()]
    assert found == [f"{number:04}" for number in range(schema.VERSION, 0, -1)]
    assert len(scripts.get_heads()) == 1


def test_a_path_with_a_percent_sign_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "50% off %(here)s"
    shutil.copytree(Path(migration.__file__).with_name("migrations"), folder / "migrations")
    monkeypatch.setattr(migration, "__file__", str(folder / "migration.py"))
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    open_store(url, is_writer=True)
    assert versions(url) == LATEST
