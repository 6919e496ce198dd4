"""Leases that their worker does not know of, because the store went away before it could answer."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from optuna.trial import TrialState

from tunefront.storage.attempts import of_trial
from tunefront.storage.database import optuna_tables, schema
from tunefront.storage.open_study import OpenStudy


def undo(study: OpenStudy, worker_id: str, known: Collection[int]) -> list[int]:
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
