"""The queue of trials: taking one, renewing its lease, and ending it.

The rules: a study of N trials ends with exactly N that are complete or pruned, however many workers
and restarts there are. One worker at a time runs a trial. Any supervisor sweeps a lease that its own
supervisor no longer renews: the trial goes back to the queue under its number. The next attempt begins anew, or goes
on from a checkpoint: then the epochs up to it stay. A result that arrives after that is refused.

A lease that has run out says nothing while its worker could not have renewed it: the store was away, or the clock was
set. So a supervisor sweeps such leases only after it has renewed its own for one whole lease without an error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import optuna
import sqlalchemy as sa
from optuna.trial import TrialState
from sqlalchemy.engine import Connection

from tunefront.storage import answers as image_answers
from tunefront.storage import constraints
from tunefront.storage.answers import Answers
from tunefront.storage.attempts import (
    Attempt,
    Lease,
    Progress,
    delete_epochs,
    end_attempt,
    has_ended,
    holds,
    n_epochs_kept,
    n_lost_in_vain,
    of_trial,
    read_attempts,
    start_attempt,
)
from tunefront.storage.control import processes
from tunefront.storage.counts import Counts, count
from tunefront.storage.database import optuna_tables, schema
from tunefront.storage.database.connection import Store
from tunefront.storage.database.locks import LockBusyError
from tunefront.storage.lost_leases import find_lost
from tunefront.storage.measurements import replace_measurements
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import STATES, Outcome

REASON = "reason"  # user attribute of a trial in Optuna
Outage = tuple[float, float]  # from the last renewal before it to the first after it, on the database's clock
MAX_ATTEMPTS = 3  # a trial whose worker was lost in so many attempts without a new checkpoint is likely the cause


def lease_next(
    study: OpenStudy,
    n_trials: int,
    worker_id: str,
    slot: str,
    *,
    machine: str = "",
    progress: Callable[[int, int], Progress] = lambda number, n_epochs: Progress(),
    only_waiting: bool = False,
    counts: Counts | None = None,
    take: Callable[[Connection, OpenStudy, int | None], optuna.Trial] | None = None,
    waiting: int | None = None,
    check_lock: Callable[[], None] = lambda: None,
) -> tuple[Lease, optuna.Trial] | None:
    """Take the next waiting trial, or a new one; None if enough trials are finished or running.

    With `only_waiting` no new trial is made: the result is None also if no trial waits.

    The caller holds the study's lock (:meth:`OpenStudy.exclusively`) and has set `study.optuna.sampler`.

    Args:
        machine: The kind of machine that the slot is on.
        progress: Returns what the worker can go on from, when it is given a trial's number and how many epochs of it
            the store has. The epochs after that are deleted in the transaction that takes the lease.
        counts: The study's trials by state; None if they are to be counted.
        take: Starts the trial `waiting`, or a new one, in the transaction that takes the lease. None takes the first
            that waits, or a new one, by Optuna's `ask`, whose samplers may read for long: in transactions before.
        check_lock: The check that the lock gave; what it raises leaves the queue as it was, but for a trial without a
            lease, which is swept.

    Raises:
        LockBusyError: If the lock was lost meanwhile, and another worker took the same trial or gave it back.
    """
    counts = counts or count(study)
    if not counts.is_due(n_trials, only_waiting=only_waiting):
        return None
    store, study_id, kept = study.store, study.study_id, Progress()
    check_lock()  # whoever was silent for longer than a lease may no longer hold it
    asked = study.optuna.ask() if take is None else None
    number = waiting if asked is None else asked.number
    if number is not None:
        with store.reading() as connection:
            n_kept = n_epochs_kept(connection, study_id, number)
        kept = progress(number, n_kept) if n_kept else Progress()
        study.trial_id(number)  # now, because this may read
        check_lock()
    with store.transaction() as connection:
        trial = asked if take is None else take(connection, study, waiting)
        assert trial is not None
        earlier = [] if number is None else _void_earlier(connection, study, trial.number)
        was_killed = any(each.ending == Outcome.KILLED for each in earlier)
        lease = Lease(study_id, trial.number, len(earlier) + 1, worker_id, kept.epoch, was_killed)
        try:
            start_attempt(connection, lease, slot, machine, kept.n_epochs, store.waits.lease_seconds)
        except sa.exc.IntegrityError as error:
            raise LockBusyError(f"another worker has taken trial {trial.number} while this one was silent") from error
        if earlier:
            delete_epochs(connection, study_id, trial.number, kept.epoch)
            _forget_last_words(connection, study_id, trial.number)
    study.states.note_running(trial.number, trial._trial_id)
    return lease, trial


def _void_earlier(connection: Connection, study: OpenStudy, number: int) -> list[Attempt]:
    """End what an earlier worker left of a trial that was taken again, and return the attempts at it.

    Raises:
        LockBusyError: If another worker has given the trial back.
    """
    study_id = study.study_id
    if optuna_tables.state_of(connection, study.trial_id(number), for_update=True) != TrialState.RUNNING:
        raise LockBusyError(f"another worker has given trial {number} back while this one was silent")
    # A worker of an older tunefront may have died between giving the trial back and deleting its lease. The trial was
    # waiting, so that lease is void: end it.
    end_attempt(connection, study_id, number, Outcome.LOST, "its worker was lost", "")
    for table in (schema.measurements, schema.answers):  # they are told at the end of an attempt
        connection.execute(table.delete().where(of_trial(table, study_id, number)))
    return read_attempts(connection, study_id, number).get(number, [])


def _forget_last_words(connection: Connection, study_id: int, number: int) -> None:
    """Delete the constraints and the reason of an earlier attempt, whose worker may have died before telling Optuna."""
    constraints.forget(connection, study_id, [number])
    table = optuna_tables.trial_user_attributes
    is_of_trial = table.c.trial_id.in_(optuna_tables.trial_ids(study_id, [number]))
    connection.execute(table.delete().where(is_of_trial & (table.c.key == REASON)))


def renew(store: Store, worker_id: str, numbers: Sequence[int] | None = None) -> float:
    """Extend the worker's leases, all or those of the trials in `numbers`, and store that the worker is alive.

    Returns:
        The time of the renewal, on the database's clock.

    When the answer to taking a lease is lost, the worker does not know that it has the lease and does not
    name its trial. That lease expires, and the trial is swept.
    """
    is_renewed = schema.leases.c.worker_id == worker_id
    if numbers is not None:
        is_renewed &= schema.leases.c.number.in_(numbers)
    with store.engine.begin() as connection:
        now = float(connection.execute(sa.select(schema.database_now())).scalar_one())
        expires_at = now + store.waits.lease_seconds
        connection.execute(schema.leases.update().where(is_renewed).values(expires_at=expires_at))
        connection.execute(schema.workers.update().where(schema.workers.c.worker_id == worker_id).values(seen_at=now))
        processes.note_seen(connection, store.worker_id, now)
    return now


def finish(
    study: OpenStudy,
    lease: Lease,
    outcome: Outcome,
    *,
    values: Sequence[float] | None = None,
    violations: Sequence[float] = (),
    measurements: Mapping[str, float] | None = None,
    answers: Mapping[str, Answers] | None = None,
    reason: str = "",
    model_path: str = "",
) -> bool:
    """Record how an attempt ended; recording the same end once more changes nothing.

    Returns False and writes nothing if the lease is no longer held.

    Args:
        values: A finite value for each objective, if complete.
        violations: How far each limit is broken, see :func:`constraints.as_list`; empty if the study has no limits.
        measurements: Name with unit -> value.
        answers: Split -> the answers to its images, for a training of a confirmation or a kept model.
        reason: Why the trial was stopped, refused or returned, or why it failed.
        model_path: The path of the kept model; empty if none was kept.
    """
    trial_id = study.trial_id(lease.number)  # now, because this may read
    with study.exclusively() as check_lock, study.store.transaction() as connection:
        if not holds(connection, lease):
            return has_ended(connection, lease, outcome)
        told = optuna_tables.state_of(connection, trial_id, for_update=True)
        if told is not None and told.is_finished():  # by a person, or by an older tunefront that died before the end
            is_recorded = _close_told(connection, lease.study_id, lease.number, told)
        else:
            replace_measurements(connection, lease, measurements or {})
            image_answers.replace(connection, lease.study_id, lease.number, answers or {})
            if violations:
                constraints.write(connection, trial_id, violations)
            _tell(connection, study, lease.number, outcome, values, reason)
            end_attempt(connection, lease.study_id, lease.number, outcome, reason, model_path, is_intended=True)
            is_recorded = True
        check_lock()  # whoever was silent for longer than a lease may no longer hold it: then nothing is written
    return is_recorded


def sweep(
    study: OpenStudy,
    dead_workers: Collection[str] = (),
    *,
    living_workers: Collection[str] = (),
    with_expired: bool = True,
    renewed_at: float | None = None,
    outages: Sequence[Outage] = (),
) -> list[int]:
    """Give back the trials whose worker was lost, and return their numbers.

    A worker was lost if it is one of `dead_workers`, if its lease expired, or if a running trial has no
    lease (the worker died while it took the trial).

    Args:
        living_workers: Workers whose processes are known to live. One of them has lost a trial only if it has been seen
            after the lease expired: then it does not know that it has the trial.
        with_expired: Whether leases that have expired count. They must not while their workers may not have been able
            to renew them.
        renewed_at: When the sweeper renewed its own leases, on the database's clock. If that is long ago by now, the
            clock was set since, and expired leases do not count.
        outages: When the store was away. A trial whose lease ran out then goes back without being counted as lost.
    """

    look = partial(find_lost, study, dead_workers, living_workers, with_expired=with_expired, renewed_at=renewed_at)
    if not any(look()):  # idle workers look often, and the lock is for those who have something to do
        return []
    with study.exclusively() as check_lock:
        lost, told = look()
        for number, lease in lost.items():
            is_by_outage = lease is not None and any(start <= lease.expires_at <= end for start, end in outages)
            check_lock()  # another may have swept since, and a third have taken the trial
            _give_back_lost(study, number, is_by_outage=is_by_outage)
        for number in told:
            check_lock()
            state = study.states.state(number)
            with study.store.engine.begin() as connection:
                _close_told(connection, study.study_id, number, state)
    return list(lost)


def _give_back_lost(study: OpenStudy, number: int, *, is_by_outage: bool) -> None:
    with study.store.transaction() as connection:
        n_lost = n_lost_in_vain(read_attempts(connection, study.study_id, number).get(number, []))
        if is_by_outage:
            outcome, reason = Outcome.RETURNED, "its lease ran out while the storage was away"
        elif n_lost >= MAX_ATTEMPTS:
            outcome, reason = Outcome.FAILED, f"its worker was lost in {n_lost} attempts"
        else:
            outcome, reason = Outcome.LOST, "its worker was lost"
        _tell(connection, study, number, outcome, None, reason)
        end_attempt(connection, study.study_id, number, outcome, reason, "")


def _close_told(connection: Connection, study_id: int, number: int, state: TrialState) -> bool:
    """End the open attempt at a trial that has ended in Optuna, and return whether it ended as its worker intended.

    Either a worker of an older tunefront was stopped between telling Optuna and ending the attempt, or a person ended
    the trial.
    """
    table = schema.attempts
    is_open = of_trial(table, study_id, number) & (table.c.ending == "running")
    row = connection.execute(sa.select(table).where(is_open)).one_or_none()
    if row is not None and bool(row.intended) and STATES[Outcome(row.intended)] == state:
        end_attempt(connection, study_id, number, Outcome(row.intended), row.reason, row.model_path)
        return True
    outcome = next(outcome for outcome, told in STATES.items() if told == state)  # told by a person
    end_attempt(connection, study_id, number, outcome, "", "")
    return False


def _tell(
    connection: Connection,
    study: OpenStudy,
    number: int,
    outcome: Outcome,
    values: Sequence[float] | None,
    reason: str,
) -> None:
    """Tell Optuna, in the store's transaction that `connection` is in."""
    storage, trial_id, state = study.store.optuna, study.trial_id(number), STATES[outcome]
    if state == TrialState.WAITING:
        # The trial keeps its number, hence its candidate and seed, so that an interruption changes no result.
        storage.set_trial_state_values(trial_id, TrialState.WAITING)
        return
    if reason:
        optuna_tables.set_attribute(connection, optuna_tables.trial_user_attributes, trial_id, REASON, reason)
    if state == TrialState.PRUNED and len(study.optuna.directions) == 1:  # its value is the last intermediate one
        study.optuna.tell(number, state=state, skip_if_finished=True)
        return
    optuna_tables.end(connection, trial_id, state, values)
