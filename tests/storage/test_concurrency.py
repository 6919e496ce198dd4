"""Several processes on one database: making tables at once, exactly N trials, and kill -9 in the middle."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests.storage.conftest import dispose
from tests.storage.stub_worker import StubWork, run_stub_study
from tests.storage.study_fixture import StudyFixture
from tunefront.storage import queue

pytestmark = pytest.mark.slow


class Workers:
    """Worker processes on one database, and their notes."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.processes: dict[str, BaseProcess] = {}
        self._context = multiprocessing.get_context("forkserver")

    def start(self, names: list[str], n_trials: int, trial_seconds: float, dead_workers: tuple[str, ...] = ()) -> None:
        start_at = time.time() + 0.2  # all workers open the store at this time
        for name in names:
            work = StubWork(self.url, name, n_trials, self.folder, start_at, trial_seconds, dead_workers)
            self.processes[name] = self._context.Process(target=run_stub_study, args=(work,), daemon=True)
            self.processes[name].start()

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        process.join()

    def join(self) -> None:
        """Wait until every worker has ended by itself."""
        for name, process in self.processes.items():
            process.join(120)
            assert process.exitcode == 0, name
            assert (self.folder / f"{name}.done").exists()

    def notes(self, pattern: str) -> list[str]:
        return sorted(path.name for path in self.folder.glob(pattern))


@pytest.fixture
def workers(url: str, tmp_path: Path, fork_server: None) -> Iterator[Workers]:
    folder = tmp_path / "notes"
    folder.mkdir()
    made = Workers(url, folder)
    yield made
    for name in list(made.processes):
        made.kill(name)


def wait_until_finished(fixture: StudyFixture, n_trials: int) -> None:
    deadline = time.monotonic() + 120
    while fixture.counts().finished < n_trials:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def check_exactly(fixture: StudyFixture, n_trials: int) -> None:
    """Assert that the study has exactly `n_trials` finished trials and no others, each whole with its own number."""
    counts = fixture.counts()
    assert counts.finished == n_trials
    assert (counts.running, counts.waiting) == (0, 0)
    records = fixture.trials()
    assert [record.number for record in records] == list(range(len(records)))
    for record in records:
        if record.state == "failed":
            assert "worker was lost" in record.reason
            continue
        rate = record.parameters["adam.learning_rate"]
        assert [(point.epoch, point.accuracy) for point in record.epochs] == [(1, rate), (2, rate)]
        assert record.measurements["accuracy"] == rate
        if record.state == "complete":
            assert record.values is not None
            assert record.values[0] == rate


def test_a_study_ends_with_exactly_its_trials_when_many_workers_start_at_once(workers: Workers) -> None:
    workers.start(["anna", "bert", "carl", "dora"], n_trials=40, trial_seconds=0.02)
    workers.join()
    fixture = StudyFixture.make(workers.url)
    check_exactly(fixture, 40)
    assert len(fixture.trials()) == 40
    assert {record.n_attempts for record in fixture.trials()} == {1}
    assert workers.notes("doubled-*") == []
    assert workers.notes("refused-*") == []
    assert fixture.counts().pruned == 8
    dispose(fixture.store)


def test_a_study_ends_with_exactly_its_trials_when_workers_are_killed(workers: Workers) -> None:
    workers.start(["anna", "bert", "carl", "dora"], n_trials=12, trial_seconds=0.1)
    fixture = StudyFixture.make(workers.url)
    wait_until_finished(fixture, 3)
    for name in ("anna", "bert"):
        workers.kill(name)
    for name in ("anna", "bert"):  # both are dead by now, so that neither takes what the other one lost
        fixture.expire(name)  # has the effect of a minute without renewing; the living workers sweep the trials
    workers.join()
    check_exactly(fixture, 12)
    assert workers.notes("doubled-*") == []
    assert workers.notes("refused-*") == []
    assert max(record.n_attempts for record in fixture.trials()) <= 2
    dispose(fixture.store)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # a server's lock falls with its connection, as above
def test_a_study_ends_with_exactly_its_trials_when_all_workers_are_killed_again_and_again(workers: Workers) -> None:
    n_trials, dead = 10, ()
    workers.start(["round0.a", "round0.b", "round0.c"], n_trials, trial_seconds=0.05)
    fixture = StudyFixture.make(workers.url)
    for killing in range(1, 3):
        wait_until_finished(fixture, 3 * killing)
        dead = (*dead, *workers.processes)
        for name in list(workers.processes):
            workers.kill(name)
        names = [f"round{killing}.{letter}" for letter in "abc"]
        workers.start(names, n_trials, trial_seconds=0.05, dead_workers=dead)
    workers.join()
    check_exactly(fixture, n_trials)
    assert workers.notes("doubled-*") == []
    assert max(record.n_attempts for record in fixture.trials()) <= queue.MAX_ATTEMPTS
    dispose(fixture.store)
