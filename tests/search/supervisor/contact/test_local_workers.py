"""Which workers of this machine live is told by their processes, and by what a run that has ended noted."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from tests.storage.conftest import dispose
from tests.storage.study_fixture import StudyFixture
from tunefront.search.launching import machine
from tunefront.search.supervisor.contact.local_workers import ended_and_living_workers
from tunefront.search.supervisor.contact.presence import present
from tunefront.storage import studies
from tunefront.storage.database.connection import open_store


def test_a_run_from_python_has_ended_although_its_process_lives(tmp_path: Path) -> None:
    fixture = StudyFixture.on(open_store(f"sqlite:///{tmp_path / 'tunefront.db'}", is_writer=True, worker_id="run"))
    described = {"process_started_at": psutil.Process().create_time()}
    for worker_id in ("run", "another"):
        studies.register_worker(fixture.study, worker_id, machine.host_key(), os.getpid(), described)
    studies.register_worker(fixture.study, "far", "elsewhere", os.getpid(), {})
    with present(fixture.store, [], [], print):
        assert {*ended_and_living_workers(fixture.study)[1]} >= {"run", "another"}
    ended, living = ended_and_living_workers(fixture.study)
    assert "run" in ended
    assert "another" in living
    assert "far" not in {*ended, *living}
    dispose(fixture.store)
