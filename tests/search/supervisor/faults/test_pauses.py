"""Supervisors that are paused for longer than a lease and go on, with the study's lock or without it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.search.supervisor.outage_fixture import (
    WAITS,
    check_each_trained_once,
    lines_with,
    make,
    meanwhile,
    wait_until,
)
from tests.search.supervisor.paused_worker import run_paused
from tests.search.supervisor_fixture import SupervisorFixture
from tests.storage.conftest import dispose
from tunefront.search.supervisor.end_reason import Ending

pytestmark = [pytest.mark.usefixtures("fork_server"), pytest.mark.slow, pytest.mark.timeout(240)]

LEASING, NOTING, TELLING = "INSERT INTO tunefront_leases", "INSERT INTO tunefront_epochs", "UPDATE trials SET state"


class Paul:
    """A supervisor in a process of its own that pauses at a statement."""

    def __init__(self, folder: Path, url: str, fragment: str, *, is_elsewhere: bool) -> None:
        self.folder = folder
        folder.mkdir()
        run = partial(run_paused, str(folder), url, 3, WAITS, fragment, is_elsewhere=is_elsewhere)
        self._process = multiprocessing.get_context("forkserver").Process(target=run)
        self._process.start()

    def wait_until_paused(self) -> None:
        wait_until((self.folder / "paused").exists)

    def go_on(self) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def join(self) -> None:
        self._process.join(90)
        assert self._process.exitcode == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


@pytest.fixture
def start_paul(tmp_path: Path) -> Iterator[Callable[..., Paul]]:
    """A function that starts him; he does not outlive the test."""
    with contextlib.ExitStack() as ends:

        def start(url: str, fragment: str, *, is_elsewhere: bool) -> Paul:
            paul = Paul(tmp_path / "paul", url, fragment, is_elsewhere=is_elsewhere)
            ends.callback(paul.kill)
            return paul

        yield start


@pytest.mark.server
@pytest.mark.parametrize("fragment", [LEASING, NOTING, TELLING])
def test_a_worker_of_another_machine_that_was_paused_changes_nothing_of_others(
    tmp_path: Path, postgres: PostgresServer, start_paul: Callable[..., Paul], fragment: str
) -> None:
    with postgres.database() as url:
        bert = make(tmp_path, "bert", url, {}, 3)
        paul = start_paul(url, fragment, is_elsewhere=True)
        paul.wait_until_paused()
        assert bert.run() is Ending.DONE
        before = bert.trials()
        assert [trial.state for trial in before] == ["complete"] * 3
        assert {trial.worker_id for trial in before} == {"bert"}
        paul.go_on()
        paul.join()
        assert bert.trials() == before
        dispose(bert.store)


@pytest.mark.parametrize("fragment", [LEASING, NOTING])
def test_others_wait_for_a_worker_of_this_machine_that_is_paused_and_all_is_done_once(
    tmp_path: Path, start_paul: Callable[..., Paul], fragment: str
) -> None:
    """It has the lock beside the file, or a transaction of SQLite's, which has one writer at a time."""
    url = f"sqlite:///{tmp_path / 'tunefront.db'}"
    bert = make(tmp_path, "bert", url, {}, 3)
    paul = start_paul(url, fragment, is_elsewhere=False)

    def wait_for_pause() -> bool:  # bert has begun, and takes no trial before
        paul.wait_until_paused()
        return False

    def let_go_on() -> None:
        paul.wait_until_paused()
        time.sleep(WAITS.lease_seconds + 1)
        paul.go_on()

    with meanwhile(let_go_on):
        assert bert.run(wait_for_pause) is Ending.DONE
    paul.join()
    of_paul = SupervisorFixture(paul.folder, bert.spec, {}, url, worker_id="reader", waits=WAITS)
    check_each_trained_once([bert, of_paul], 3)
    assert lines_with(bert, "refused") == lines_with(bert, "lost") == []
    for fixture in (bert, of_paul):
        dispose(fixture.store)
