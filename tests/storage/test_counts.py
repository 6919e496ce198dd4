"""Counts that are kept up to date, held against a count of all trials that are read anew."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import optuna
import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from tests.storage.conftest import dispose
from tests.storage.death import Death
from tests.storage.study_fixture import StudyFixture
from tunefront.storage.counts import Counts, cancelled, count, refused
from tunefront.storage.database import schema
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

ENDINGS = [Outcome.COMPLETE, Outcome.PRUNED, Outcome.REFUSED, Outcome.FAILED, Outcome.CANCELLED, Outcome.RETURNED]


def counted_anew(fixture: StudyFixture) -> Counts:
    """Count all trials as Optuna lists them."""
    trials = OpenStudy(fixture.store, fixture.record).optuna.get_trials(deepcopy=False)
    states = [trial.state for trial in trials]
    pruned = {trial.number for trial in trials if trial.state == TrialState.PRUNED}
    failed = {trial.number for trial in trials if trial.state == TrialState.FAIL}
    n_refused, n_cancelled = len(pruned & refused(fixture.study)), len(failed & cancelled(fixture.study))
    return Counts(
        complete=states.count(TrialState.COMPLETE),
        pruned=len(pruned) - n_refused,
        refused=n_refused,
        failed=len(failed) - n_cancelled,
        running=states.count(TrialState.RUNNING),
        waiting=states.count(TrialState.WAITING),
        cancelled=n_cancelled,
    )


def lease_and_end(fixture: StudyFixture, outcome: Outcome, worker: str) -> None:
    fixture.finish(fixture.lease(worker), outcome)


def person_ends(fixture: StudyFixture, state: TrialState) -> None:
    """End a running trial as the dashboard does, behind its worker's back."""
    lease, _ = fixture.lease("anna")
    fixture.study.optuna.tell(lease.number, state=state)
    fixture.sweep()


def take_and_leave(fixture: StudyFixture) -> None:
    fixture.lease("bert")


def enqueue(fixture: StudyFixture) -> None:
    fixture.study.optuna.enqueue_trial({"adam.learning_rate": 0.01})


def operations(worker: str) -> list[Callable[[StudyFixture], object]]:
    return [
        *(partial(lease_and_end, outcome=outcome, worker=worker) for outcome in ENDINGS),
        *(partial(person_ends, state=state) for state in (TrialState.PRUNED, TrialState.FAIL)),
        take_and_leave,
        enqueue,
        lambda fixture: fixture.sweep(),
        lambda fixture: fixture.sweep("bert", worker),
    ]


def test_counts_are_those_of_all_trials_whenever_a_worker_dies(fixture: StudyFixture) -> None:
    """Workers do anything in any order, and half of them die anywhere in it; two processes that count look on."""
    chance = random.Random(0)
    death = Death(fixture, is_real=False, only_at_commits=True)
    seldom, often = (OpenStudy(fixture.store, fixture.record) for _ in range(2))
    seen = set()
    for step in range(60):
        operation = chance.choice(operations(f"worker{step}"))
        if chance.random() < 0.5:
            death.at_step(chance.randrange(25), operation)
        else:
            operation(fixture)
        counts = count(often)
        assert counts == counted_anew(fixture), f"after step {step}"
        seen |= {name for name, n_trials in vars(counts).items() if n_trials}
        if step % 7 == 0:
            assert count(seldom) == counts, f"after step {step}"
    assert count(often) == count(seldom) == counted_anew(fixture)
    assert seen >= {"complete", "pruned", "refused", "failed", "cancelled", "running", "waiting"}


def test_a_trial_counts_as_refused_when_its_worker_died_right_after_telling_optuna(fixture: StudyFixture) -> None:
    looker = OpenStudy(fixture.store, fixture.record)
    lease, _ = fixture.lease()
    table = schema.attempts
    with fixture.store.engine.begin() as connection:
        connection.execute(table.update().values(intended="refused"))
    fixture.study.optuna.tell(lease.number, state=TrialState.PRUNED)
    assert (count(looker).refused, count(looker).pruned) == (1, 0)
    with fixture.store.engine.begin() as connection:  # a person was faster, and this is how the attempt ended
        connection.execute(table.update().values(ending="pruned"))
    assert (count(looker).refused, count(looker).pruned) == (0, 1)


def test_all_trials_are_counted_when_one_with_a_lower_key_appears_late(fixture: StudyFixture) -> None:
    """A transaction that began first may be committed last."""
    for _ in range(3):
        fixture.finish(fixture.lease())
    trials = sa.table("trials", sa.column("study_id"), sa.column("number"))
    is_second = trials.c.number == 1
    with fixture.store.engine.begin() as connection:
        connection.execute(trials.update().where(is_second).values(study_id=None))
    looker = OpenStudy(fixture.store, fixture.record)
    assert count(looker).complete == 2
    with fixture.store.engine.begin() as connection:
        connection.execute(trials.update().where(is_second).values(study_id=fixture.study.study_id))
    assert count(looker).complete == 3


def test_a_study_that_was_deleted_is_not_counted(fixture: StudyFixture) -> None:
    fixture.finish(fixture.lease())
    looker = OpenStudy(fixture.store, fixture.record)
    assert count(looker).complete == 1
    optuna.delete_study(study_name=fixture.study.name, storage=fixture.store.optuna)
    with pytest.raises(KeyError):
        count(looker)


def test_a_study_is_counted_anew_when_its_trials_were_replaced(fixture: StudyFixture) -> None:
    """As after a backup was put back in the place of the database."""
    for _ in range(2):
        fixture.finish(fixture.lease())
    fixture.lease()
    looker = OpenStudy(fixture.store, fixture.record)
    assert (count(looker).complete, count(looker).running) == (2, 1)
    trials = sa.table("trials", sa.column("number"))
    for name in ("trial_values", "trial_params", "trial_user_attributes", "trial_system_attributes"):
        with fixture.store.engine.begin() as connection:
            connection.execute(sa.table(name).delete())
    with fixture.store.engine.begin() as connection:
        connection.execute(trials.delete().where(trials.c.number > 0))
    assert (count(looker).complete, count(looker).running) == (1, 0)
    dispose(fixture.store)
