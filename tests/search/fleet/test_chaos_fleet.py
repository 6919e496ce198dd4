"""Workers that join and leave at random, some of them killed, over three studies: each ends with its trials."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.search.fleet.fleet_fixture import FleetFixture, check_exact, work_in_process
from tests.search.fleet.test_worker import rewrite_spec
from tests.storage.conftest import dispose

pytestmark = [pytest.mark.usefixtures("fork_server")]


class Crowd:
    """Workers in processes of their own.

    Args:
        pause_seconds: See :class:`FleetFixture`.
    """

    def __init__(self, fixture: FleetFixture, pause_seconds: float) -> None:
        self._fixture = fixture
        self._pause_seconds = pause_seconds
        self._n_made = 0
        self.living: dict[Path, BaseProcess] = {}  # by the file that tells the worker to leave

    def join(self, n_slots: int) -> None:
        """Start a worker."""
        self._n_made += 1
        stop = self._fixture.folder / f"stop-{self._n_made}"
        task = (str(self._fixture.folder), self._fixture.url, n_slots, str(stop), self._pause_seconds)
        process = multiprocessing.get_context("forkserver").Process(target=work_in_process, args=task)
        process.start()
        self.living[stop] = process

    def leave(self, stop: Path, *, by_force: bool) -> None:
        """Let a worker leave, or kill it."""
        process = self.living.pop(stop)
        if by_force:
            assert process.pid is not None
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.kill(process.pid, signal.SIGKILL)
        stop.touch()
        process.join(120)
        assert by_force or process.exitcode == 0

    def await_all(self, seconds: float) -> None:
        """Wait until no study is open to any worker."""
        deadline = time.monotonic() + seconds
        for stop, process in self.living.items():
            process.join(max(deadline - time.monotonic(), 0.0))
            assert process.exitcode == 0, stop
        self.living.clear()


@contextmanager
def crowd_of(fixture: FleetFixture, pause_seconds: float) -> Iterator[Crowd]:
    crowd = Crowd(fixture, pause_seconds)
    try:
        yield crowd
    finally:
        for process in crowd.living.values():
            process.kill()
        dispose(fixture.store)


def test_three_workers_of_which_one_is_killed_end_three_studies_exact(tmp_path: Path) -> None:
    fixture = FleetFixture(tmp_path)
    made = [(fixture.submit(f"study-{rank}", 3, priority=rank // 2), 3) for rank in range(3)]
    newer = fixture.submit("newer", 2, priority=9)
    rewrite_spec(newer, quantum=1)
    with crowd_of(fixture, 0.1) as crowd:
        for _ in range(3):
            crowd.join(n_slots=1)
        deadline = time.monotonic() + 120
        while not any(fixture.attempts(study) for study, _ in made) and time.monotonic() < deadline:
            time.sleep(0.1)
        crowd.leave(next(iter(crowd.living)), by_force=True)
        crowd.await_all(200)
        check_exact(fixture, made)
        assert fixture.attempts(newer) == []
        assert not fixture.is_over(newer)


@pytest.mark.chaos
@pytest.mark.server
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_workers_join_and_leave_at_random(tmp_path: Path, postgres: PostgresServer, seed: int) -> None:
    n_trials = 30
    chance = random.Random(seed)
    with postgres.database() as url:
        fixture = FleetFixture(tmp_path, url)
        made = [(fixture.submit(f"study-{rank}", n_trials, priority=rank // 2), n_trials) for rank in range(3)]
        newer = fixture.submit("newer", 2, priority=9)
        rewrite_spec(newer, quantum=1)
        with crowd_of(fixture, 0.5) as crowd:
            for _ in range(20):
                crowd.join(chance.choice([1, 2]))
                time.sleep(chance.uniform(0.0, 2.0))
                if len(crowd.living) > 4:
                    crowd.leave(chance.choice(list(crowd.living)), by_force=chance.random() < 0.5)
            crowd.join(2)
            crowd.await_all(900)
            check_exact(fixture, made)
            lost = [each for study, _ in made for each in fixture.attempts(study) if each.ending == "lost"]
            print(f"{len(lost)} attempts were lost, and each study has its {n_trials} trials")
            assert fixture.attempts(newer) == []
            assert not fixture.is_over(newer)
