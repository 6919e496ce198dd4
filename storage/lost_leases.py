"""Leases whose worker was lost, or does not know of them, because the store went away before it could answer."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from optuna.trial import TrialState

from tunefront.storage.attempts import StoredLease, of_trial, read_leases
from tunefront.storage.database import optuna_tables, schema
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.studies import database_time


def undo_unknown(study: OpenStudy, worker_id: str, known: Collection[int]) -> list[int]:
    """Undo a worker's leases of other trials than those that it knows of, and return the trials' numbers.

    Nobody has begun to train them, so they wait as before, and no attempt is counted. This may run twice.
    """
    leases, attempts = schema.leases, schema.attempts
    query = sa.select(leases.c.number).where(
        (leases.c.study_id == study.study_id) & (leases.c.worker_id == worker_id) & leases.c.number.not_in(list(known))
    )
    with study.exclusively() as check_lock:
        with study.store.reading() as connection:
            numbers = [int(number) for number in connection.execute(query).scalars()]
        for number in numbers:
            trial_id = study.trial_id(number)  # now, because this may read
            check_lock()
            with study.store.transaction() as connection:
                if optuna_tables.state_of(connection, trial_id, for_update=True) != TrialState.RUNNING:
                    continue  # a person has ended it: a sweep ends the attempt likewise
                study.store.optuna.set_trial_state_values(trial_id, TrialState.WAITING)
                is_open = of_trial(attempts, study.study_id, number) & (attempts.c.ending == "running")
                connection.execute(attempts.delete().where(is_open))
                connection.execute(leases.delete().where(of_trial(leases, study.study_id, number)))
    return numbers


def find_lost(
    study: OpenStudy,
    dead_workers: Collection[str],
    living_workers: Collection[str],
    *,
    with_expired: bool,
    renewed_at: float | None,
) -> tuple[dict[int, StoredLease | None], list[int]]:
    """Return the running trials whose worker was lost, with what is left of their leases; writes nothing.

    Also the numbers of the trials that have a lease and do not run, such as those that a person has ended.

    Args: see :func:`tunefront.storage.queue.sweep`.
    """
    leased = read_leases(study)
    if renewed_at is not None and database_time(study.store) - renewed_at > study.store.waits.lease_seconds / 2:
        with_expired = False
    states = study.states.unfinished()
    running = {number: leased.get(number) for number, state in states.items() if state == TrialState.RUNNING}
    lost = {
        number: lease
        for number, lease in running.items()
        if lease is None or lease.worker_id in dead_workers or (with_expired and lease.is_given_up(living_workers))
    }
    return lost, [number for number in leased if number not in running]
