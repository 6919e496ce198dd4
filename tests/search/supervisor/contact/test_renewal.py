from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.search.supervisor.outage_fixture import AwaySwitch, SetClock, wait_until
from tests.storage.conftest import dispose
from tests.storage.study_fixture import StudyFixture
from tunefront.search.supervisor.contact.renewal import Renewal
from tunefront.storage.database.connection import open_store
from tunefront.storage.database.waits import Waits


class Renewing:
    """A worker's renewal, on a database whose clock stands still unless a test moves it."""

    def __init__(self, folder: Path) -> None:
        self.fixture = StudyFixture.on(
            open_store(f"sqlite:///{folder / 'tunefront.db'}", is_writer=True, waits=Waits(lease_seconds=60.0))
        )
        self.clock = SetClock(is_still=True)
        self.clock.use_in(self.fixture.store.engine)
        self.switch = AwaySwitch(self.fixture.store.engine)
        self.numbers = [0]
        self.renewal = Renewal(self.fixture.store, "anna", lambda: self.numbers)

    def after(self, *seconds: float) -> bool:
        """Renew after each of these pauses; return whether the worker has then renewed for a whole lease."""
        for pause in seconds:
            self.clock.step_seconds += pause
            self.renewal.renew()
        return self.renewal.is_steady()


@pytest.fixture
def renewing(tmp_path: Path) -> Iterator[Renewing]:
    made = Renewing(tmp_path)
    yield made
    dispose(made.fixture.store)


def test_a_worker_is_steady_once_it_has_renewed_for_a_whole_lease(renewing: Renewing) -> None:
    assert not renewing.renewal.is_steady()
    assert not renewing.after(0, 15, 15, 15, 14.5)
    assert renewing.after(0.6)
    assert renewing.renewal.outages == []


def test_a_worker_is_not_steady_for_a_lease_after_a_renewal_failed(renewing: Renewing) -> None:
    assert renewing.after(0, 20, 20, 20.1)
    renewing.switch.is_away = True
    with pytest.raises(sa.exc.OperationalError):
        renewing.renewal.renew()
    assert not renewing.renewal.is_steady()
    renewing.switch.is_away = False
    assert not renewing.after(10, 20, 20, 19)
    assert renewing.after(1.1)
    ((start, end),) = renewing.renewal.outages
    assert end - start == pytest.approx(10, abs=0.01)


@pytest.mark.parametrize("step", [31.0, 3600.0, -3600.0], ids=lambda step: f"{step:+.0f} s")
def test_a_worker_is_not_steady_for_a_lease_after_the_clock_was_set(renewing: Renewing, step: float) -> None:
    assert renewing.after(0, 15, 15, 15, 15.1)
    assert not renewing.after(step, 15, 15, 15, 14)
    assert renewing.after(1.1)


def test_a_renewal_that_comes_a_little_late_is_no_outage(renewing: Renewing) -> None:
    assert renewing.after(0, 15, 29, 16.1)
    assert renewing.renewal.outages == []


def test_the_thread_renews_what_the_worker_knows_of_until_it_is_stopped(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'tunefront.db'}", is_writer=True, waits=Waits(lease_seconds=2.0))
    fixture = StudyFixture.on(store)
    before = set(threading.enumerate())  # a thread of an earlier test may wait for its silent server still
    for _ in range(2):
        fixture.lease("anna")
        fixture.expire("anna")
    renewal = Renewal(store, "anna", lambda: [1])
    renewal.start()
    assert "renewal of leases" in {thread.name for thread in set(threading.enumerate()) - before}
    wait_until(lambda: fixture.seconds_to_expiry(1) > 0)
    assert fixture.seconds_to_expiry(0) < 0
    renewal.stop()
    wait_until(lambda: set(threading.enumerate()) <= before)
    dispose(store)


def test_an_error_that_no_waiting_mends_reaches_the_supervisor(renewing: Renewing) -> None:
    with renewing.fixture.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE tunefront_leases")
    renewing.renewal.check()
    renewing.renewal.start()
    with pytest.raises(sa.exc.OperationalError, match="no such table"):
        wait_until(lambda: renewing.renewal.check() is not None)
    renewing.renewal.stop()
