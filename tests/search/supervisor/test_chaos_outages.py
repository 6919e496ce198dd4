"""Outages of a real server with the usual leases and waits, for minutes; `make test-chaos` runs them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.search.stub_trials import StubTrial
from tests.search.supervisor.outage_fixture import (
    check_each_trained_once,
    lines_with,
    make,
    meanwhile,
    on_statement,
    run_together,
    wait_until,
)
from tests.search.supervisor_fixture import SupervisorFixture
from tests.storage.conftest import dispose
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage.database.waits import Waits

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900), pytest.mark.usefixtures("fork_server")]

N_TRIALS = 6
EPOCH_SECONDS = 4.0  # two workers then train for 36 seconds without an outage
SLACK_SECONDS = 60.0


@pytest.fixture
def fixtures(tmp_path: Path, postgres: PostgresServer) -> Iterator[list[SupervisorFixture]]:
    """Two workers on one study, as on two machines."""
    plan = {number: StubTrial(pause_seconds=EPOCH_SECONDS) for number in range(N_TRIALS)}
    with postgres.database() as url:
        made = [make(tmp_path, name, url, plan, N_TRIALS, waits=Waits()) for name in ("anna", "bert")]
        yield made
        for fixture in made:
            dispose(fixture.store)


@pytest.mark.server
@pytest.mark.parametrize("seconds", [0, 20, 60, 300])
@pytest.mark.parametrize("moment", ["in the middle of training", "at tell"])
def test_no_worker_leaves_and_all_results_arrive(
    fixtures: list[SupervisorFixture], postgres: PostgresServer, moment: str, seconds: int
) -> None:
    has_crashed = False

    def crash() -> None:
        nonlocal has_crashed
        postgres.stop_hard()
        has_crashed = True

    def crash_and_restart() -> None:
        if moment == "in the middle of training":
            wait_until(lambda: all(any(trial.epochs for trial in fixture.trials()) for fixture in fixtures), 60)
            crash()
        else:
            wait_until(lambda: has_crashed, 60)
        time.sleep(seconds)
        postgres.start()

    started_at = time.monotonic()
    at_tell = "UPDATE trials SET state" if moment == "at tell" else "no such statement"
    with on_statement(fixtures[0].store.engine, at_tell, crash), meanwhile(crash_and_restart):
        assert run_together(*fixtures) == [Ending.DONE, Ending.DONE]
    took = time.monotonic() - started_at
    check_each_trained_once(fixtures, N_TRIALS)
    undisturbed = N_TRIALS / len(fixtures) * 3 * EPOCH_SECONDS
    print(f"{moment}, {seconds} s: {took - undisturbed:.0f} s longer than the {undisturbed:.0f} s of the trainings")
    assert took <= undisturbed + seconds + Waits().lease_seconds + SLACK_SECONDS
    for fixture in fixtures:
        assert lines_with(fixture, "refused") == []
