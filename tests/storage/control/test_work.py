"""What is told of the processes that work now, on every kind of database."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.storage.study_fixture import StudyFixture, epoch
from tunefront.storage import curves, studies
from tunefront.storage.attempts import Progress
from tunefront.storage.control import processes
from tunefront.storage.control.work import ProcessWork, RunningWork, read_work
from tunefront.storage.database import schema


def begin_ago(fixture: StudyFixture, seconds: float) -> None:
    """Make all running attempts as old as that."""
    with fixture.store.engine.begin() as connection:
        is_running = schema.attempts.c.ending == "running"
        started_at = schema.database_now() - seconds
        connection.execute(schema.attempts.update().where(is_running).values(started_at=started_at))


def without_seconds(found: ProcessWork) -> list[RunningWork]:
    return [replace(each, seconds=0.0) for each in found.work]


def test_a_process_works_on_several_studies_at_so_many_epochs_an_hour(fixture: StudyFixture) -> None:
    store, other = fixture.store, StudyFixture.on(fixture.store, "other")
    processes.register_process(store, "p", "boot", "north", 7, ["A100", "A100"])
    processes.register_process(store, "q", "boot", "north", 8, ["cpu"])
    studies.register_worker(fixture.study, "anna", "boot", 7, {}, process_id="p")
    studies.register_worker(other.study, "also anna", "boot", 7, {}, process_id="p")
    first, second = fixture.lease("anna", slot="gpu0"), other.lease("also anna", slot="gpu1")
    for number in (1, 2, 3):
        curves.append(store, first[0], epoch(number))
    curves.append(store, second[0], epoch(1))
    begin_ago(fixture, 1800.0)
    working, idle = read_work(store)
    assert (working.process.name, idle.process.name) == ("north-7", "north-8")
    assert without_seconds(working) == [
        RunningWork("digits", 0, "gpu0", 3, 0.0),
        RunningWork("other", 0, "gpu1", 1, 0.0),
    ]
    assert working.epochs_an_hour == pytest.approx(8.0, rel=0.01)  # four epochs in half an hour
    assert (idle.work, idle.epochs_an_hour) == ((), None)
    assert not working.is_lost
    assert 0 <= working.seconds_unseen < 60


def test_epochs_before_the_checkpoint_that_an_attempt_went_on_from_are_not_its_own(fixture: StudyFixture) -> None:
    leased = fixture.lease("anna")
    studies.register_worker(fixture.study, "anna", "boot", 7, {"host_name": "north"})
    for number in (1, 2, 3):
        curves.append(fixture.store, leased[0], epoch(number))
    fixture.sweep("anna")
    again = fixture.lease("anna", progress=lambda number, n_epochs: Progress(2, 2))
    curves.append(fixture.store, again[0], epoch(3))
    (found,) = read_work(fixture.store)
    assert found.process.name == "north-7"  # of an older tunefront, which has no row for its process
    assert [each.n_epochs for each in found.work] == [1]


def test_a_process_that_is_not_seen_is_lost_and_one_that_has_ended_is_gone(fixture: StudyFixture) -> None:
    store = fixture.store
    for process_id in ("here", "gone", "old", "ended"):
        processes.register_process(store, process_id, "boot", process_id, 7, ["cpu"])
    processes.note_ended(store, "ended")
    for process_id, hours in (("gone", 1), ("old", 30)):
        with store.engine.begin() as connection:
            is_process = schema.processes.c.process_id == process_id
            seen_at = schema.database_now() - 3600 * hours
            connection.execute(schema.processes.update().where(is_process).values(seen_at=seen_at))
    assert {found.process.host_name: found.is_lost for found in read_work(store)} == {"here": False, "gone": True}


def test_tables_of_an_older_version_are_read(fixture: StudyFixture) -> None:
    if fixture.store.engine.dialect.name != "sqlite":
        return  # one database of the old version is enough
    with fixture.store.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE tunefront_processes"))
        connection.execute(sa.text("ALTER TABLE tunefront_workers DROP COLUMN process_id"))
    fixture.lease("anna")
    assert read_work(fixture.store) == []  # a lease whose worker is not known
