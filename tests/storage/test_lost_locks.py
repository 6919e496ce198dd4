"""Workers that were silent while they held the study's lock, so that others have gone on: they change nothing more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from tests.storage.conftest import empty
from tests.storage.study_fixture import StudyFixture
from tunefront.storage import queue
from tunefront.storage.attempts import read_leases
from tunefront.storage.database.connection import Store
from tunefront.storage.database.locks import LockBusyError


def lose() -> None:
    raise sa.exc.InterfaceError("SELECT 1", None, Exception("the connection is closed"))


def lease_but(fixture: StudyFixture, nth: int, action: Callable[[], None]) -> None:
    """Take a trial as worker paul; do something when the lock is checked for the n-th time."""
    n_checks = 0

    def check_lock() -> None:
        nonlocal n_checks
        n_checks += 1
        if n_checks == nth:
            action()

    queue.lease_next(fixture.study, 9, "paul", "cpu0", check_lock=check_lock)


@pytest.mark.parametrize(("nth", "expected"), [(1, []), (2, [TrialState.RUNNING])])
def test_no_lease_is_written_once_the_lock_is_lost(fixture: StudyFixture, nth: int, expected: list[TrialState]) -> None:
    with pytest.raises(sa.exc.InterfaceError):
        lease_but(fixture, nth, lose)
    assert [trial.state for trial in fixture.study.optuna.get_trials()] == expected
    assert read_leases(fixture.study) == {}
    assert fixture.sweep() == list(range(len(expected)))


def test_no_lease_is_written_of_a_trial_that_another_has_given_back(fixture: StudyFixture) -> None:
    def give_back() -> None:
        assert fixture.sweep() == [0]

    with pytest.raises(LockBusyError, match="another worker has given trial 0 back"):
        lease_but(fixture, 2, give_back)
    assert read_leases(fixture.study) == {}
    assert fixture.lease("bert")[0].number == 0


@pytest.mark.server
def test_trials_are_swept_only_while_the_lock_is_held(postgres_store: Store) -> None:
    empty(postgres_store)
    fixture = StudyFixture.on(postgres_store)
    fixture.lease("anna")
    other = sa.create_engine(postgres_store.engine.url)
    n_ended = []

    def end_the_locks_connection(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "FROM tunefront_leases" in statement:  # once without the lock, and once with it
            with other.begin() as beside:
                query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                n_ended.append(len(beside.execute(sa.text(query)).all()))

    sa.event.listen(postgres_store.engine, "before_cursor_execute", end_the_locks_connection)
    with pytest.raises(sa.exc.DBAPIError):
        queue.sweep(fixture.study, ["anna"])
    sa.event.remove(postgres_store.engine, "before_cursor_execute", end_the_locks_connection)
    assert n_ended[0] == 0
    assert n_ended[1] > 0
    assert fixture.counts().running == 1
    assert read_leases(fixture.study)[0].worker_id == "anna"
    other.dispose()
