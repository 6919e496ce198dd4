"""Readers and writers of one SQLite file at the same time: nobody who only reads waits, or is waited for."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.storage.new_store import open_writer
from tests.storage.study_fixture import StudyFixture
from tunefront.storage import studies
from tunefront.storage.database import connection as connections
from tunefront.storage.open_study import OpenStudy


@pytest.fixture
def fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyFixture:
    monkeypatch.setattr(connections, "_BUSY_SECONDS", 0.1)
    made = StudyFixture.on(open_writer(f"sqlite:///{tmp_path / 'tunefront.db'}"))
    for _ in range(3):
        made.lease()
    return made


def another(fixture: StudyFixture) -> OpenStudy:
    """Return the study as another worker has it, which has read nothing yet."""
    found = studies.find(open_writer(fixture.store.url), fixture.study.name)
    assert found is not None
    return found


def test_trials_are_read_while_another_worker_writes(fixture: StudyFixture) -> None:
    study = another(fixture)
    assert study.optuna.user_attrs == {}
    with fixture.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE trials SET state = 'FAIL' WHERE number = 0")
        assert [trial.number for trial in study.optuna.get_trials()] == [0, 1, 2]
        assert len(study.states.unfinished()) == 3
    assert len(study.states.unfinished()) == 2


def test_a_worker_writes_while_another_one_reads(fixture: StudyFixture) -> None:
    study = another(fixture)
    n_read = 0

    def write(*_: object) -> None:
        nonlocal n_read
        n_read += 1
        with fixture.store.engine.begin() as connection:
            connection.execute(sa.text("UPDATE trials SET state = 'FAIL' WHERE number = 0"))

    study.optuna.get_trials()
    sa.event.listen(study.store.engine, "after_cursor_execute", write)
    assert len(study.optuna.get_trials()) == 3
    sa.event.remove(study.store.engine, "after_cursor_execute", write)
    assert n_read > 5


def test_what_this_transaction_has_written_is_read_in_it(fixture: StudyFixture) -> None:
    with fixture.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE trials SET number = 7 WHERE number = 2")
        trials = fixture.store.optuna.get_all_trials(fixture.study.study_id)
        assert [trial.number for trial in trials] == [0, 1, 7]
        connection.rollback()
