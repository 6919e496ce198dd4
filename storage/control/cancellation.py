"""Cancelling trials: one that waits ends at once, one that runs when its worker has read the wish."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from optuna.trial import FrozenTrial, TrialState

from tunefront.storage import queue
from tunefront.storage.attempts import end_attempt, of_trial, read_attempts
from tunefront.storage.database import schema
from tunefront.storage.database.locks import StoreError
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome


def cancel(study: OpenStudy, number: int, by: str) -> bool:
    """Cancel a trial; return whether it has ended. One that runs ends as soon as its worker has read the wish.

    Args:
        by: Who wishes it, as ``user@host``.

    Raises:
        StoreError: If there is no such trial, or it has ended already.
    """
    with study.exclusively() as check_lock:
        trial = _find(study, number)
        if trial is None:
            n_trials = len(study.optuna.get_trials(deepcopy=False))
            there = f"its trials are 0 to {n_trials - 1}" if n_trials else "it has no trials yet"
            raise StoreError(f"study {study.name!r} has no trial {number}: {there}")
        if trial.state.is_finished():
            raise StoreError(f"trial {number} of study {study.name!r} has ended already: nothing is left to cancel")
        check_lock()
        if trial.state == TrialState.WAITING:
            _end_waiting(study, trial, by)
            return True
        with study.store.engine.begin() as connection:
            table = schema.cancellations
            connection.execute(table.delete().where(of_trial(table, study.study_id, number)))
            row = {"wished_at": schema.database_now(), "wished_by": by}
            connection.execute(table.insert().values(study_id=study.study_id, number=number, **row))
    return False


def carry_out(study: OpenStudy, wishes: Mapping[int, str], running: Collection[int] = ()) -> list[int]:
    """Carry out wishes for trials that the worker does not run, and return the numbers of those that it ended.

    A trial that went back to the queue ends now; the wish for one that has ended is forgotten. One that runs elsewhere
    is that worker's.

    Args:
        wishes: Number of a trial that is to end -> who wishes it.
        running: The trials that the worker runs itself.
    """
    others = {number: by for number, by in wishes.items() if number not in running}
    if not others:
        return []
    ended, done = [], []
    with study.exclusively() as check_lock:
        for number, by in others.items():
            trial = _find(study, number)
            if trial is not None and trial.state == TrialState.RUNNING:
                continue
            check_lock()
            if trial is not None and trial.state == TrialState.WAITING:
                _end_waiting(study, trial, by)
                ended.append(number)
            done.append(number)
        table = schema.cancellations
        with study.store.engine.begin() as connection:
            is_done = (table.c.study_id == study.study_id) & table.c.number.in_(done)
            connection.execute(table.delete().where(is_done))
    return ended


def describe_cancelled(by: str) -> str:
    """Return the reason of a cancelled trial."""
    return f"cancelled by {by}"


def _find(study: OpenStudy, number: int) -> FrozenTrial | None:
    trials = study.optuna.get_trials(deepcopy=False)
    return trials[number] if 0 <= number < len(trials) else None


def _end_waiting(study: OpenStudy, trial: FrozenTrial, by: str) -> None:
    """End a trial that waits: an attempt of no length, by no worker, says so in tunefront's tables.

    Optuna is told last. Should this process die before, the trial still waits, and its next attempt has another number.
    """
    study_id, reason, now = study.study_id, describe_cancelled(by), schema.database_now()
    with study.store.engine.begin() as connection:
        # Whoever gave the trial back may have died before it ended the attempt.
        end_attempt(connection, study_id, trial.number, Outcome.LOST, "its worker was lost", "")
        earlier = read_attempts(connection, study_id, trial.number).get(trial.number, [])
        last = earlier[-1] if earlier else None
        connection.execute(
            schema.attempts.insert().values(
                study_id=study_id,
                number=trial.number,
                attempt=len(earlier) + 1,
                worker_id="",
                started_at=now,
                ended_at=now,
                intended=Outcome.CANCELLED.value,
                ending=Outcome.CANCELLED.value,
                reason=reason,
                checkpoint_epochs=last.checkpoint_epochs if last else 0,
                resumed_epochs=last.checkpoint_epochs if last else 0,
                machine=last.machine if last else "",
            )
        )
    storage = study.store.optuna
    trial_id = storage.get_trial_id_from_study_id_trial_number(study_id, trial.number)
    storage.set_trial_user_attr(trial_id, queue.REASON, reason)
    storage.set_trial_state_values(trial_id, TrialState.FAIL)
