"""Servers that are stopped or fall silent for longer than a lease: nobody leaves, and nothing is trained twice.

Leases and waits are shortened, so that seconds do for minutes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.postgres import PostgresServer
from tests.search.stub_trials import StubTrial
from tests.search.supervisor.outage_fixture import (
    WAITS,
    check_each_trained_once,
    lines_with,
    make,
    meanwhile,
    numbers_on,
    on_statement,
    run_together,
    spooled,
    wait_for_renewals,
    wait_until,
)
from tests.silent_proxy import SilentProxy
from tests.storage.conftest import dispose
from tunefront.search.supervisor.end_reason import Ending

pytestmark = pytest.mark.usefixtures("fork_server")

# A real server that is stopped hard


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_trainings_go_on_while_the_server_is_away_for_longer_than_a_lease(
    tmp_path: Path, postgres: PostgresServer, url: str
) -> None:
    plan = {number: StubTrial(pause_seconds=0.5) for number in range(4)}
    fixtures = [make(tmp_path, name, url, plan, 4) for name in ("anna", "bert")]

    def crash() -> None:
        wait_until(lambda: all(any(trial.epochs for trial in fixture.trials()) for fixture in fixtures))
        postgres.stop_hard()
        time.sleep(WAITS.lease_seconds + 1)
        wait_until(lambda: all(lines_with(fixture, "the storage is away (") for fixture in fixtures))
        wait_until(lambda: any("1 result is kept" in shown for shown in notices()))
        postgres.start()

    def notices() -> set[str]:
        return {snapshot.notice for fixture in fixtures for snapshot in list(fixture.view.snapshots)}

    with meanwhile(crash):
        assert run_together(*fixtures) == [Ending.DONE, Ending.DONE]
    check_each_trained_once(fixtures, 4)
    kept = [number for fixture in fixtures for number in numbers_on(fixture, "; kept until the storage is back")]
    assert kept
    assert kept == [number for fixture in fixtures for number in numbers_on(fixture, "is delivered")]
    for fixture in fixtures:
        assert lines_with(fixture, "the storage is back after")
        assert spooled(fixture) == []
        dispose(fixture.store)
    assert sorted(name for fixture in fixtures for name in fixture.kept_models()) == [
        f"trial-{number}.keras" for number in range(4)
    ]


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_result_is_told_once_when_the_server_goes_away_while_it_is_told(
    tmp_path: Path, postgres: PostgresServer, url: str
) -> None:
    fixture = make(tmp_path, "anna", url, {}, 3)
    restarts: list[threading.Timer] = []

    def crash() -> None:
        postgres.stop_hard()
        restarts.append(threading.Timer(WAITS.lease_seconds + 1, postgres.start))
        restarts[0].start()

    with on_statement(fixture.store.engine, "UPDATE trials SET state", crash) as told:
        assert fixture.run() is Ending.DONE
    restarts[0].join()
    assert told
    check_each_trained_once([fixture], 3)
    assert lines_with(fixture, "refused") == []
    dispose(fixture.store)


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_lease_is_renewed_while_its_trials_end_is_told(tmp_path: Path, url: str) -> None:
    fixture = make(tmp_path, "anna", url, {}, 1, replace(WAITS, idle_seconds=90.0))
    other = make(tmp_path, "bert", url, {}, 1)

    def take_long() -> None:
        wait_for_renewals(other.study)

    with on_statement(fixture.store.engine, "INSERT INTO tunefront_measurements", take_long) as told:
        assert fixture.run() is Ending.DONE
    assert told
    dispose(fixture.store)
    dispose(other.store)


# A server that falls silent, or waits


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_others_go_on_when_a_machine_falls_silent_while_it_holds_the_lock(tmp_path: Path, url: str) -> None:
    plan = {number: StubTrial(pause_seconds=0.1) for number in range(4)}
    bert = make(tmp_path, "bert", url, plan, 4)
    with SilentProxy(url) as proxy:
        anna = make(tmp_path, "anna", proxy.url, plan, 4)

        def end_silence() -> None:
            wait_until(lambda: bert.counts().finished == 4)
            proxy.speak()
            proxy.cut()  # her connections break only now

        # She has asked Optuna for a trial, and is about to write that she has it.
        with on_statement(anna.store.engine, "INSERT INTO tunefront_leases", proxy.swallow), meanwhile(end_silence):
            assert run_together(anna, bert) == [Ending.DONE, Ending.DONE]
        assert bert.states() == ["complete"] * 4
        assert {trial.worker_id for trial in bert.trials()} == {"bert"}
        assert bert.counts().running == 0
        dispose(anna.store)
    dispose(bert.store)


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_trainings_go_on_when_a_connection_falls_silent_that_nothing_breaks(tmp_path: Path, url: str) -> None:
    plan = {number: StubTrial(pause_seconds=0.3) for number in range(2)}
    with SilentProxy(url) as proxy:
        anna = make(tmp_path, "anna", f"{proxy.url}?connect_timeout=2", plan, 2)

        def speak_again() -> None:
            wait_until(lambda: bool(lines_with(anna, "; kept until the storage is back")))
            proxy.speak()

        # She does not hold the lock; her first epoch is what does not arrive.
        silence = on_statement(anna.store.engine, "INSERT INTO tunefront_epochs", proxy.swallow)
        with silence as swallowed, meanwhile(speak_again):
            assert anna.run() is Ending.DONE
        assert swallowed
        check_each_trained_once([anna], 2)
        dispose(anna.store)


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_trainings_go_on_while_rows_are_locked(tmp_path: Path, url: str) -> None:
    plan = {number: StubTrial(pause_seconds=0.2) for number in range(3)}
    fixture = make(tmp_path, "anna", url, plan, 3)
    server = sa.create_engine(url)

    def lock_rows() -> None:
        wait_until(lambda: any(trial.epochs for trial in fixture.trials()))
        with server.begin() as connection:
            for table in ("trials", "tunefront_workers"):
                connection.execute(sa.text(f"SELECT * FROM {table} FOR UPDATE"))
            time.sleep(WAITS.lease_seconds + 1)

    with meanwhile(lock_rows):
        assert fixture.run() is Ending.DONE
    check_each_trained_once([fixture], 3)
    server.dispose()
    dispose(fixture.store)
