"""Which workers count as lost, and which attempts towards the three after which a trial fails."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.storage.study_fixture import StudyFixture
from tunefront.storage import queue, studies
from tunefront.storage.database import schema
from tunefront.storage.outcomes import Outcome


def last_renewed_ago(fixture: StudyFixture, worker: str, seconds: float, seen_seconds: float | None = None) -> float:
    """Let a worker's leases be renewed so long ago, and the worker be seen then or later; return when they expire."""
    now = studies.database_time(fixture.store)
    expires_at = now - seconds + fixture.store.waits.lease_seconds
    seen_at = now - (seconds if seen_seconds is None else seen_seconds)
    with fixture.store.engine.begin() as connection:
        leases, workers = schema.leases, schema.workers
        connection.execute(leases.update().where(leases.c.worker_id == worker).values(expires_at=expires_at))
        connection.execute(workers.update().where(workers.c.worker_id == worker).values(seen_at=seen_at))
    return expires_at


def endings(fixture: StudyFixture) -> list[str]:
    query = sa.select(schema.attempts.c.ending).order_by(schema.attempts.c.attempt)
    with fixture.store.engine.connect() as connection:
        return list(connection.execute(query).scalars())


@pytest.mark.parametrize(
    ("renewed_ago", "seen_ago", "living", "with_expired", "expected"),
    [
        (61.0, 61.0, False, True, [0]),
        (59.0, 59.0, False, True, []),
        (61.0, 61.0, False, False, []),  # the sweeper has not renewed for a whole lease itself
        (3600.0, 3600.0, True, True, []),  # the clock was set, or it is paused: its process lives
        (70.0, 2.0, True, True, [0]),  # it renews its other leases, and does not know of this one
        (61.0, 2.0, False, True, [0]),
    ],
)
def test_sweep_takes_the_trials_of_workers_that_cannot_renew_any_more(
    fixture: StudyFixture, renewed_ago: float, seen_ago: float, living: bool, with_expired: bool, expected: list[int]
) -> None:
    fixture.lease("anna")
    fixture.lease("bert")
    for name in ("anna", "bert"):
        studies.register_worker(fixture.study, name, "host", 1, {})
    last_renewed_ago(fixture, "anna", renewed_ago, seen_ago)
    found = queue.sweep(fixture.study, living_workers=["anna"] if living else [], with_expired=with_expired)
    assert found == expected


def test_leases_that_expired_because_the_clock_was_set_do_not_count_until_the_sweeper_has_renewed(
    fixture: StudyFixture,
) -> None:
    fixture.lease("anna")
    last_renewed_ago(fixture, "anna", 61.0)
    now = studies.database_time(fixture.store)
    assert queue.sweep(fixture.study, renewed_at=now - 3600.0) == []
    assert queue.sweep(fixture.study, renewed_at=now) == [0]


def test_a_worker_that_is_known_to_be_dead_loses_its_trials_at_once(fixture: StudyFixture) -> None:
    fixture.lease("anna")
    assert queue.sweep(fixture.study, ["anna"], with_expired=False) == [0]
    assert endings(fixture) == ["lost"]


def test_an_attempt_whose_lease_ran_out_in_an_outage_does_not_count_as_lost(fixture: StudyFixture) -> None:
    for attempt in range(1, queue.MAX_ATTEMPTS + 2):
        lease, _ = fixture.lease("anna")
        assert (lease.number, lease.attempt) == (0, attempt)
        expires_at = last_renewed_ago(fixture, "anna", 100.0)
        assert queue.sweep(fixture.study, outages=[(0.0, 1.0), (expires_at - 5, expires_at + 5)]) == [0]
    assert endings(fixture) == ["returned"] * 4
    assert fixture.trials()[0].reason == "its lease ran out while the storage was away"
    for _ in range(queue.MAX_ATTEMPTS):
        fixture.lease("bert")
        expires_at = last_renewed_ago(fixture, "bert", 100.0)
        queue.sweep(fixture.study, outages=[(expires_at - 9, expires_at - 1)])  # it was back in time
    assert endings(fixture) == ["returned"] * 4 + ["lost"] * 2 + ["failed"]


def test_renew_returns_the_time_on_the_databases_clock(fixture: StudyFixture) -> None:
    before = studies.database_time(fixture.store)
    assert before <= queue.renew(fixture.store, "anna") <= studies.database_time(fixture.store)


def test_the_same_end_can_be_told_twice(fixture: StudyFixture) -> None:
    leased = fixture.lease("anna")
    assert fixture.finish(leased) is True
    assert fixture.finish(leased) is True  # the first answer did not arrive
    assert fixture.finish(leased, Outcome.FAILED) is False
    assert endings(fixture) == ["complete"]


def test_an_end_that_was_told_is_no_longer_taken_for_another_workers(fixture: StudyFixture) -> None:
    late = fixture.lease("anna")
    fixture.sweep("anna")
    assert fixture.finish(fixture.lease("bert")) is True
    assert fixture.finish(late) is False


@pytest.mark.timeout(60)
def test_a_sweep_that_finds_nobody_lost_does_not_ask_for_the_lock(fixture: StudyFixture) -> None:
    fixture.lease("anna")
    with StudyFixture.on(fixture.store, "digits").study.exclusively():
        assert queue.sweep(fixture.study, ["bert"]) == []
    assert queue.sweep(fixture.study, ["anna"]) == [0]
