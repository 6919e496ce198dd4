"""Backups of stores at work, and their restoring by the commands that are printed."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from tests.postgres import PostgresServer
from tests.storage.conftest import dispose
from tests.storage.stub_worker import StubWork, run_stub_study
from tests.storage.study_fixture import StudyFixture, epoch
from tunefront.storage import curves, studies
from tunefront.storage.backup.backup import back_up
from tunefront.storage.backup.postgres_dump import PostgresDump
from tunefront.storage.check.store_check import check_store
from tunefront.storage.database.connection import open_store
from tunefront.storage.database.locks import StoreError
from tunefront.storage.server.programs import Programs, ServerError, dump_programs
from tunefront.storage.trials import TrialRecord


def restore(commands: Sequence[str]) -> None:
    """Run the last of the printed commands, which puts the backup back, as a person would."""
    assert commands[-2].startswith("# to put it back")
    done = subprocess.run(["sh", "-c", commands[-1]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def load(url: str) -> dict[str, list[TrialRecord]]:
    """Read all that a store has: study -> its trials."""
    store = open_store(url)
    found = {study.name: StudyFixture(study).trials() for study in studies.list_all(store)}
    dispose(store)
    return found


def test_a_backup_that_is_restored_has_all_that_was_there(url: str, tmp_path: Path) -> None:
    fixture = StudyFixture.make(url)
    leased = fixture.lease()
    curves.append(fixture.store, leased[0], epoch(1))
    fixture.finish(leased)
    fixture.finish(fixture.lease())
    before = load(url)
    assert [trial.state for trial in before["digits"]] == ["complete", "complete"]
    made = back_up(url, tmp_path / "it's a backup")
    assert made.n_bytes == (tmp_path / "it's a backup").stat().st_size
    fixture.finish(fixture.lease())
    studies.delete(fixture.store, [fixture.study])
    StudyFixture.on(fixture.store, "later")
    dispose(fixture.store)
    restore(made.restore)
    after = load(url)
    assert after == before
    assert check_store(open_store(url)).defects == []
    assert StudyFixture.make(url).lease()[0].number == 2  # and it goes on


@pytest.mark.slow
def test_a_backup_of_a_store_at_work_is_of_one_moment(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    dispose(StudyFixture.make(url).store)
    work = StubWork(url, "", 24, tmp_path, time.time(), trial_seconds=0.05)
    workers = [threading.Thread(target=run_stub_study, args=(replace(work, worker_id=name),)) for name in "ab"]
    for worker in workers:
        worker.start()
    backups = []
    while any(worker.is_alive() for worker in workers):
        backups.append(back_up(url, tmp_path / f"backup-{len(backups)}"))
    states = []
    for made in (backups[0], backups[len(backups) // 2], backups[-1]):
        if url.startswith("sqlite"):
            trials = load(f"sqlite:///{made.path}")["digits"]
        else:
            with request.getfixturevalue("postgres").database() as empty:
                database = str(make_url(url).database)
                restore([line.replace(database, str(make_url(empty).database)) for line in made.restore])
                trials = load(empty)["digits"]
        states.append([trial.state for trial in trials])
        for trial in trials:
            if trial.state == "complete":  # all of it, or nothing
                rate = trial.parameters["adam.learning_rate"]
                assert [point.accuracy for point in trial.epochs] == [rate, rate]
                assert trial.measurements["accuracy"] == rate
    assert len(states[0]) < len(states[-1]) <= 24


def test_a_backup_has_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path) -> None:
    monkeypatch.chdir(tmp_path)
    made = back_up(f"sqlite:///{sqlite_template}", now=datetime(2026, 3, 4, 5, 6, 7))
    assert made.path == Path("tunefront-2026-03-04-050607.db")
    assert [path.name for path in tmp_path.iterdir()] == [made.path.name]
    with pytest.raises(StoreError, match=r"--to .*050607.db: there is such a file already"):
        back_up(f"sqlite:///{sqlite_template}", made.path)
    with pytest.raises(StoreError, match="this is a folder. Name a file in it"):
        back_up(f"sqlite:///{sqlite_template}", tmp_path)
    with pytest.raises(StoreError, match="there is no folder"):
        back_up(f"sqlite:///{sqlite_template}", tmp_path / "none/a.db")
    with pytest.raises(StoreError, match="there is no such file"):
        back_up(f"sqlite:///{tmp_path / 'none.db'}")


def test_nothing_is_left_when_the_disk_is_full(small_disk: Path, sqlite_template: Path) -> None:
    with pytest.raises(StoreError, match="the backup was not written: database or disk is full"):
        back_up(f"sqlite:///{sqlite_template}", small_disk / "backup.db")
    assert list(small_disk.iterdir()) == []


@pytest.mark.server
def test_nothing_is_left_when_a_dump_fails(small_disk: Path, postgres: PostgresServer) -> None:
    with postgres.database() as url:
        dispose(StudyFixture.make(url).store)
        (small_disk / "others").write_bytes(bytes(60_000))
        with pytest.raises(ServerError, match="the backup was not written: pg_dump: .*No space left"):
            back_up(url, small_disk / "backup.dump")
    assert [path.name for path in small_disk.iterdir()] == ["others"]


@pytest.mark.server
def test_a_server_that_is_newer_than_pg_dump_is_named() -> None:
    with pytest.raises(ServerError, match=r"the server is PostgreSQL 99, and the newest pg_dump here is \d+"):
        dump_programs(99)
    assert dump_programs(12).major >= 12


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://anna:s3cret@host:5433/db?sslmode=require", "postgresql://host/db?user=anna&password=s3cret"],
)
def test_no_password_stands_in_a_command(url: str) -> None:
    dump = PostgresDump(sa.make_url(url), Programs(Path("/programs"), "16.14"))
    command = dump.restore(Path("/a backup"))[-1]
    assert "s3cret" not in command
    assert command.startswith("/programs/pg_restore --single-transaction --clean")
    assert command.endswith("'/a backup'")
    assert "sslmode=require" in command or "user=anna" in command
