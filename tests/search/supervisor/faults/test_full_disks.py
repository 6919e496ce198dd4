"""Disks that are full: that of the store, which is then away as in any outage, and that of the spool."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.search.stub_trials import StubTrial
from tests.search.supervisor.faults.supervisor_process import Order, work
from tests.search.supervisor.outage_fixture import (
    WAITS,
    AwaySwitch,
    check_each_trained_once,
    lines_with,
    make,
    meanwhile,
    on_statement,
    spooled,
    wait_until,
)
from tests.small_disk import small_disk_at
from tests.storage.conftest import dispose
from tunefront.search.supervisor.end_reason import Ending

pytestmark = [pytest.mark.usefixtures("fork_server"), pytest.mark.slow, pytest.mark.timeout(240)]


class Anna:
    """A supervisor in a process of its own, on a study of three trainings."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        plan = {0: StubTrial(pause_seconds=1.0)}  # its first result comes two seconds after the disk was filled
        order = Order(folder, url, plan, replace(WAITS, lock_seconds=30.0), 1, {"trials": 3})
        self.reader = order.fixture("reader")
        context = multiprocessing.get_context("forkserver")
        self.process = context.Process(target=work, args=(order, "anna"))
        self._lines = folder / "anna.txt"

    def says(self, words: str) -> bool:
        return self._lines.exists() and words in self._lines.read_text()

    def run_through(self, fill: Callable[[], None], empty: Callable[[], None]) -> None:
        """Run the study; its store's disk is full from the first epoch on, until a result of a training is kept."""
        self.process.start()
        try:
            wait_until(lambda: any(trial.epochs for trial in self.reader.trials()))
            fill()
            wait_until(lambda: self.says("; kept until the storage is back"))
            assert spooled(self.reader)
            empty()
            self.process.join(120)
            assert self.process.exitcode == 0
        finally:
            self.process.kill()
            self.process.join()
        assert self.says("is delivered")
        assert not self.says("refused")
        check_each_trained_once([self.reader], 3)
        dispose(self.reader.store)


def test_a_study_goes_on_when_its_file_can_grow_again(tmp_path: Path) -> None:
    anna = Anna(tmp_path / "anna", f"sqlite:///{tmp_path / 'tunefront.db'}")

    def limit_files(n_bytes: int) -> None:
        """Let the supervisor's process write no file beyond so many bytes, as a quota does."""
        assert anna.process.pid is not None
        _, hard = resource.prlimit(anna.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(anna.process.pid, resource.RLIMIT_FSIZE, (n_bytes, hard))

    anna.run_through(lambda: limit_files(4096), lambda: limit_files(resource.RLIM_INFINITY))


def test_a_study_goes_on_when_the_disk_of_its_file_has_room_again(tmp_path: Path) -> None:
    with small_disk_at(tmp_path / "small disk", "2m") as disk:
        anna = Anna(tmp_path / "anna", f"sqlite:///{disk.folder / 'tunefront.db'}")
        anna.run_through(disk.fill, disk.empty)


@pytest.mark.server
def test_a_study_goes_on_when_the_disk_of_its_server_has_room_again(tmp_path: Path, postgres: PostgresServer) -> None:
    with postgres.small_database("48m") as (url, disk):
        anna = Anna(tmp_path / "anna", url)
        anna.run_through(disk.fill, disk.empty)


def test_results_wait_in_memory_while_the_disk_of_the_results_is_full(tmp_path: Path) -> None:
    plan = {number: StubTrial(pause_seconds=0.1) for number in range(2)}
    anna = make(tmp_path, "anna", f"sqlite:///{tmp_path / 'tunefront.db'}", plan, 2)
    switch = AwaySwitch(anna.store.engine)
    with small_disk_at(anna.out, "64k") as disk:

        def fill_and_go_away() -> None:  # the model has its name by now
            disk.fill()
            switch.is_away = True

        def come_back() -> None:
            wait_until(lambda: bool(lines_with(anna, "No space left on device")))
            disk.empty()
            switch.is_away = False

        told = on_statement(anna.store.engine, "INSERT INTO tunefront_measurements", fill_and_go_away)
        with told as found, meanwhile(come_back):
            assert anna.run() is Ending.DONE
        assert found
        check_each_trained_once([anna], 2)
        assert [Path(trial.model_path).read_text() for trial in anna.trials()] == [
            f"model of trial {number}" for number in range(2)
        ]
    dispose(anna.store)
