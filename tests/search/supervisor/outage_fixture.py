"""Outages of a store for tests: a switch that makes it fail, a clock that is set, supervisors that run side by side."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tests.search.stub_trials import Plan
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import studies
from tunefront.storage.attempts import read_leases
from tunefront.storage.database.waits import Waits
from tunefront.storage.open_study import OpenStudy

WAITS = Waits(lease_seconds=2.4, away_seconds=0.3, lock_seconds=0.5, row_seconds=0.5, idle_seconds=1.0)
PARETO = {"name": "pareto", "min_epochs": 1}


class AwaySwitch:
    """A switch with which an engine's every statement fails, as if its database could not be reached."""

    def __init__(self, engine: Engine) -> None:
        self.is_away = False
        sa.event.listen(engine, "before_cursor_execute", self._before)

    def _before(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if self.is_away:
            raise sa.exc.OperationalError(statement, None, sqlite3.OperationalError("switched off"))


class SetClock:
    """The clock of SQLite databases, which can be set.

    Args:
        is_still: Whether it stands still otherwise.
    """

    def __init__(self, *, is_still: bool = False) -> None:
        self.step_seconds = 0.0
        self._stands_at = time.time() if is_still else None

    def use_in(self, engine: Engine) -> None:
        """Make the engine's database read this clock."""

        def julian_day(*_: Any) -> float:
            now = time.time() if self._stands_at is None else self._stands_at
            return 2440587.5 + (now + self.step_seconds) / 86400.0

        sa.event.listen(
            engine, "connect", lambda connection, _: connection.create_function("julianday", -1, julian_day)
        )
        engine.dispose()


@contextlib.contextmanager
def on_statement(engine: Engine, fragment: str, action: Callable[[], object]) -> Iterator[list[str]]:
    """Do something before the first statement that contains `fragment`; yields that statement once it has come."""
    found: list[str] = []

    def before(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if fragment in statement and not found:
            found.append(statement)
            action()

    sa.event.listen(engine, "before_cursor_execute", before)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)


def run_together(*fixtures: SupervisorFixture) -> list[Ending]:
    """Run supervisors side by side, as on several machines."""
    with ThreadPoolExecutor(len(fixtures)) as pool:
        return list(pool.map(lambda fixture: fixture.run(), fixtures))


@contextlib.contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """Do something beside the block; an error of it is raised at the end."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    if errors:
        raise errors[0]


def wait_until(is_so: Callable[[], bool], seconds: float = 90.0) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def wait_for_renewals(study: OpenStudy) -> None:
    """Wait until the lease of the one trial that runs lasts for a whole lease longer than now."""
    ((number, lease),) = read_leases(study).items()
    wait_until(lambda: read_leases(study)[number].expires_at > lease.expires_at + study.store.waits.lease_seconds)


def make(folder: Path, name: str, url: str, plan: Plan, n_trials: int, waits: Waits = WAITS) -> SupervisorFixture:
    """Make the fixture of a supervisor with a results folder of its own, as on another machine."""
    own = folder / name
    own.mkdir()
    spec = make_spec(trials=n_trials, pruner=PARETO)
    made = SupervisorFixture(own, spec, plan, url=url, worker_id=name, waits=waits)
    studies.register_worker(made.study, name, f"host of {name}", 1, {})
    return made


def check_each_trained_once(fixtures: list[SupervisorFixture], n_trials: int) -> None:
    """Check that each trial is complete and whole, and was trained by one process in all."""
    trials = fixtures[0].trials()
    assert [trial.state for trial in trials] == ["complete"] * n_trials
    assert {trial.n_attempts for trial in trials} == {1}
    for trial in trials:
        assert [(epoch.epoch, epoch.accuracy) for epoch in trial.epochs] == [(1, 0.5), (2, 0.6), (3, 0.7)]
        assert (trial.values, trial.measurements["validation_seconds"]) == ((0.7, 1000.0, 3.0), 0.75)
    trained = sorted(int(path.stem.split("-")[0]) for fixture in fixtures for path in fixture.notes.glob("*.pid"))
    assert trained == list(range(n_trials))


def lines_with(fixture: SupervisorFixture, words: str) -> list[str]:
    """Return the lines that a person was told with these words in them."""
    return [line for line in fixture.view.lines if words in line]


def numbers_on(fixture: SupervisorFixture, words: str) -> list[int]:
    """Return the numbers of the trials that lines with these words are on."""
    return [int(line.removeprefix("trial ").partition(":")[0]) for line in lines_with(fixture, words)]


def spooled(fixture: SupervisorFixture) -> list[str]:
    """Return the names of the files that wait in the spool."""
    return sorted(path.name for path in (fixture.out / "spool").glob("*"))
