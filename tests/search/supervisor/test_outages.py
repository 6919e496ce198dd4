"""A supervisor whose database is away for a moment, which must cost nothing if it is shorter than a lease."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tests.postgres import PostgresServer
from tests.search.stub_trials import StubTrial
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.supervisor.end_reason import Ending

pytestmark = pytest.mark.usefixtures("fork_server")


@contextlib.contextmanager
def losing(engine: Engine, fragment: str) -> Iterator[list[str]]:
    """Fail the first statement that contains `fragment`, as if the database were away for a moment.

    With a server, the connection is lost too, and with it its locks.
    """
    lost: list[str] = []

    def before(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if fragment in statement and not lost:
            lost.append(statement)
            if engine.dialect.name != "sqlite":
                cursor.connection.close()
                return  # the driver then fails by itself
            raise sa.exc.OperationalError(statement, None, sqlite3.OperationalError("gone for a moment"))

    sa.event.listen(engine, "before_cursor_execute", before)
    try:
        yield lost
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)


@contextlib.contextmanager
def losing_answer(engine: Engine, fragment: str) -> Iterator[list[str]]:
    """Lose the answer to the first commit after a statement that contains `fragment`: what it wrote stays."""
    seen: list[str] = []
    lost: list[str] = []
    commit = engine.dialect.do_commit

    def before(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if fragment in statement:
            seen.append(statement)

    def do_commit(connection: Any) -> None:
        commit(connection)
        if seen and not lost:
            lost.append(seen[0])
            raise sqlite3.OperationalError("gone for a moment")

    sa.event.listen(engine, "before_cursor_execute", before)
    engine.dialect.do_commit = do_commit  # type: ignore[method-assign]
    try:
        yield lost
    finally:
        engine.dialect.do_commit = commit  # type: ignore[method-assign]
        sa.event.remove(engine, "before_cursor_execute", before)


def check_two_trials(fixture: SupervisorFixture, fragment: str, lose: Callable[..., Any] = losing) -> None:
    """Check that a study of two trials ends with exactly two whole ones while one such statement fails.

    Each is begun once, and none waits until a lease runs out. One of them waits and is taken, the other is made when it
    is taken.
    """
    fixture.study.optuna.enqueue_trial({})
    with lose(fixture.store.engine, fragment) as lost:
        assert fixture.run() is Ending.DONE
    assert lost, "no such statement: the test shows nothing"
    complete = [trial for trial in fixture.trials() if trial.state == "complete"]
    assert len(complete) == 2
    assert fixture.counts().running == fixture.counts().waiting == fixture.counts().failed == 0
    for trial in complete:
        assert trial.n_attempts == 1
        assert [epoch.epoch for epoch in trial.epochs] == [1, 2, 3]
        assert trial.measurements["model_bytes"] == 1000.0
    assert not [line for line in fixture.view.lines if "refused" in line]


@pytest.mark.parametrize(
    "fragment",
    [
        "SELECT tunefront_epochs.epoch",
        "SELECT tunefront_attempts.number",
        "SELECT trials",
        "INSERT INTO trials",
        "INSERT INTO tunefront_leases",
        "INSERT INTO tunefront_attempts",
        "DELETE FROM tunefront_epochs",
        "INSERT INTO trial_params",
        "INSERT INTO trial_system_attributes",
        "INSERT INTO tunefront_epochs",
        "INSERT INTO tunefront_measurements",
        "INSERT INTO trial_values",
        "UPDATE trials SET state",
        "UPDATE tunefront_attempts",
        "DELETE FROM tunefront_leases",
    ],
    ids=lambda fragment: " ".join(fragment.split()),
)
@pytest.mark.timeout(120)
def test_nothing_is_lost_when_one_statement_fails(tmp_path: Path, fragment: str) -> None:
    check_two_trials(SupervisorFixture(tmp_path, make_spec(trials=2), {}), fragment)


@pytest.mark.parametrize(
    "fragment", ["INSERT INTO trials", "INSERT INTO tunefront_attempts", "UPDATE tunefront_attempts"]
)
@pytest.mark.timeout(120)
def test_nothing_is_lost_when_the_answer_to_a_commit_is_lost(tmp_path: Path, fragment: str) -> None:
    check_two_trials(SupervisorFixture(tmp_path, make_spec(trials=2), {}), fragment, losing_answer)


@pytest.mark.server
@pytest.mark.timeout(120)
@pytest.mark.parametrize("fragment", ["pg_advisory_lock_shared", "pg_advisory_unlock"])
def test_nothing_is_lost_when_the_connection_of_the_lock_fails(
    tmp_path: Path, postgres: PostgresServer, fragment: str
) -> None:
    with postgres.database() as url:
        fixture = SupervisorFixture(tmp_path, make_spec(trials=2), {}, url=url)
        try:
            check_two_trials(fixture, fragment)
        finally:
            fixture.store.optuna.remove_session()
            fixture.store.engine.dispose()


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_an_outage_of_the_database_costs_nothing(tmp_path: Path, postgres: PostgresServer) -> None:
    plan = {number: StubTrial(pause_seconds=0.1) for number in range(12)}
    with postgres.database() as url:
        fixture = SupervisorFixture(tmp_path, make_spec(trials=12), plan, url=url, n_slots=2)
        try:
            with _outages(postgres, fixture):
                ending = fixture.run()
            assert ending is Ending.DONE
            assert fixture.states() == ["complete"] * 12
            assert {trial.n_attempts for trial in fixture.trials()} == {1}
            assert [len(trial.epochs) for trial in fixture.trials()] == [3] * 12
        finally:
            fixture.store.optuna.remove_session()
            fixture.store.engine.dispose()


@contextlib.contextmanager
def _outages(postgres: PostgresServer, fixture: SupervisorFixture) -> Iterator[None]:
    """Stop the server for a moment, again and again."""
    is_over = threading.Event()

    def stop_and_start() -> None:
        for n_lines in (1, 4, 7):
            while len(fixture.view.lines) < n_lines:
                if is_over.wait(0.01):
                    return
            postgres.stop()
            time.sleep(0.3)
            postgres.start()

    thread = threading.Thread(target=stop_and_start)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
