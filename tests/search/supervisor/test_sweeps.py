"""Sweeps by supervisors that may have been out of reach themselves: a healthy trial of another one stays.

Leases and waits are shortened, so that seconds do for minutes.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.search.stub_trials import StubTrial
from tests.search.supervisor.outage_fixture import (
    WAITS,
    SetClock,
    check_each_trained_once,
    lines_with,
    make,
    meanwhile,
    run_together,
    wait_until,
)
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import queue

pytestmark = pytest.mark.usefixtures("fork_server")


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("step_seconds", [3600.0, -3600.0], ids=["forward", "backward"])
def test_nobody_sweeps_a_healthy_trial_when_the_clock_is_set(tmp_path: Path, step_seconds: float) -> None:
    clock = SetClock()
    url = f"sqlite:///{tmp_path / 'tunefront.db'}"
    plan = {number: StubTrial(pause_seconds=1.5) for number in range(2)}
    fixtures = [make(tmp_path, name, url, plan, 2) for name in ("anna", "bert")]
    for fixture in fixtures:
        clock.use_in(fixture.store.engine)

    def set_clock() -> None:
        wait_until(lambda: fixtures[0].counts().running == 2)
        time.sleep(1.0)
        clock.step_seconds = step_seconds

    with meanwhile(set_clock):
        assert run_together(*fixtures) == [Ending.DONE, Ending.DONE]
    check_each_trained_once(fixtures, 2)
    for fixture in fixtures:
        assert lines_with(fixture, "lost") == []


@pytest.mark.timeout(120)
def test_a_supervisor_waits_for_a_lease_before_it_sweeps_others(tmp_path: Path) -> None:
    fixture = make(tmp_path, "anna", f"sqlite:///{tmp_path / 'tunefront.db'}", {}, 2)
    with fixture.study.exclusively():
        assert queue.lease_next(fixture.study, 2, "lost", "cpu0")
    with fixture.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tunefront_leases SET expires_at = 0.0")
    started_at = time.monotonic()
    assert fixture.run() is Ending.DONE
    assert time.monotonic() - started_at >= WAITS.lease_seconds
    assert "trial 0: its worker was lost; back in the queue" in fixture.view.lines
    assert [(trial.state, trial.n_attempts) for trial in fixture.trials()] == [("complete", 2), ("complete", 1)]


@pytest.mark.timeout(120)
def test_a_worker_with_nothing_to_do_does_not_ask_for_the_lock(tmp_path: Path) -> None:
    fixture = make(tmp_path, "anna", f"sqlite:///{tmp_path / 'tunefront.db'}", {}, 2)
    for _ in range(2):
        with fixture.study.exclusively():
            assert queue.lease_next(fixture.study, 2, "bert", "cpu0")
    supervisor = fixture.supervisor()
    with fixture.study.exclusively():
        assert supervisor.step(supervisor.slots) is None
        assert not supervisor.is_out_of_reach  # as it would be after it had waited for the lock
    with fixture.store.engine.begin() as connection:  # bert gives one back
        connection.exec_driver_sql("DELETE FROM tunefront_leases WHERE number = 1")
        connection.exec_driver_sql("UPDATE trials SET state = 'WAITING' WHERE number = 1")
    with fixture.study.exclusively():
        assert supervisor.step(supervisor.slots) is None
        assert supervisor.is_out_of_reach
