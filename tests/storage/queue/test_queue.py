"""The contract of leases: which worker runs which trial, how the trial ends, and who else reads it."""

from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState

from tests.storage.queue.queue_counts import make_counts, n_leases
from tests.storage.study_fixture import MEASUREMENTS, METRICS, VALUES, StudyFixture
from tunefront.storage import queue
from tunefront.storage.attempts import Lease
from tunefront.storage.counts import Counts
from tunefront.storage.database import schema
from tunefront.storage.database.connection import open_store
from tunefront.storage.outcomes import Outcome


def test_lease_next_counts_trials_and_attempts(fixture: StudyFixture) -> None:
    leases = [fixture.lease("anna")[0], fixture.lease("bert")[0]]
    assert [(lease.number, lease.attempt, lease.worker_id) for lease in leases] == [(0, 1, "anna"), (1, 1, "bert")]
    assert fixture.counts() == make_counts(running=2)


def test_lease_next_gives_nothing_when_enough_are_under_way(fixture: StudyFixture) -> None:
    fixture.lease(n_trials=2)
    fixture.lease(n_trials=2)
    assert fixture.try_lease("anna", n_trials=2) is None
    assert len(fixture.trials()) == 2


@pytest.mark.parametrize(
    ("outcome", "is_another_due"),
    [
        (Outcome.COMPLETE, False),
        (Outcome.PRUNED, False),
        (Outcome.REFUSED, True),  # costs no trial of the budget
        (Outcome.FAILED, True),
        (Outcome.RETURNED, True),
    ],
)
def test_lease_next_of_a_study_of_one_trial_when_it_ended(
    fixture: StudyFixture, outcome: Outcome, is_another_due: bool
) -> None:
    fixture.finish(fixture.lease(n_trials=1), outcome)
    assert (fixture.try_lease("anna", n_trials=1) is not None) == is_another_due


def test_lease_next_takes_a_returned_trial_before_a_new_one(fixture: StudyFixture) -> None:
    first = fixture.lease("anna")
    fixture.lease("bert")
    fixture.finish(first, Outcome.RETURNED)
    lease, _ = fixture.lease("carl")
    assert (lease.number, lease.attempt) == (0, 2)


def test_lease_next_makes_no_new_trial_when_only_waiting_ones_are_asked_for(fixture: StudyFixture) -> None:
    fixture.study.optuna.enqueue_trial({})
    fixture.study.optuna.enqueue_trial({})

    def lease() -> tuple[Lease, optuna.Trial] | None:
        with fixture.store.exclusively():
            return queue.lease_next(fixture.study, 9, "anna", "cpu0", only_waiting=True)

    first = lease()
    assert first is not None
    fixture.finish(first, Outcome.FAILED)
    assert lease() is not None
    assert lease() is None
    assert len(fixture.trials()) == 2


def test_lease_next_takes_what_a_person_enqueued_through_optuna(fixture: StudyFixture) -> None:
    fixture.study.optuna.enqueue_trial({"adam.learning_rate": 0.003})
    lease, trial = fixture.lease()
    assert lease.number == 0
    assert trial.suggest_float("adam.learning_rate", 1e-4, 1e-2) == 0.003


def test_a_lease_lasts_for_lease_seconds(fixture: StudyFixture) -> None:
    fixture.lease()
    assert fixture.store.waits.lease_seconds - 5 < fixture.seconds_to_expiry(0) <= fixture.store.waits.lease_seconds


# Ending trials


@pytest.mark.parametrize(
    ("outcome", "state", "counts"),
    [
        (Outcome.COMPLETE, "complete", make_counts(complete=1)),
        (Outcome.PRUNED, "pruned", make_counts(pruned=1)),
        (Outcome.REFUSED, "refused", make_counts(refused=1)),
        (Outcome.FAILED, "failed", make_counts(failed=1)),
        (Outcome.RETURNED, "waiting", make_counts(waiting=1)),
    ],
)
def test_finish_records_each_outcome(fixture: StudyFixture, outcome: Outcome, state: str, counts: Counts) -> None:
    assert fixture.finish(fixture.lease("anna"), outcome, reason="because", model_path="/models/0.keras")
    (trial,) = fixture.trials()
    assert (trial.state, trial.reason, trial.worker_id, trial.n_attempts) == (state, "because", "anna", 1)
    assert trial.values == (VALUES if outcome is Outcome.COMPLETE else None)
    assert trial.measurements == MEASUREMENTS
    assert trial.model_path == "/models/0.keras"
    assert trial.slot == ""
    assert trial.started_at is not None
    assert trial.ended_at is not None
    assert trial.started_at <= trial.ended_at
    assert fixture.counts() == counts
    assert fixture.counts().finished == (1 if outcome in (Outcome.COMPLETE, Outcome.PRUNED) else 0)


def test_a_refusal_that_is_half_written_is_none_of_the_finished(fixture: StudyFixture) -> None:
    """Optuna is told before the attempt is ended, and another worker counts in between."""
    fixture.lease("anna")
    with fixture.store.engine.begin() as connection:
        connection.execute(schema.attempts.update().values(intended=Outcome.REFUSED.value))
    assert fixture.counts() == make_counts(running=1)
    fixture.study.optuna.tell(0, state=TrialState.PRUNED)
    assert fixture.counts() == make_counts(refused=1)
    assert fixture.sweep() == []
    assert fixture.counts() == make_counts(refused=1)


def test_finish_is_refused_when_the_trial_was_swept(fixture: StudyFixture) -> None:
    late = fixture.lease("anna")
    fixture.expire("anna")
    assert fixture.sweep() == [0]
    assert fixture.finish(late) is False
    (trial,) = fixture.trials()
    assert (trial.state, trial.values, trial.measurements) == ("waiting", None, {})


def test_finish_is_refused_when_another_worker_has_the_trial(fixture: StudyFixture) -> None:
    late = fixture.lease("anna")
    fixture.expire("anna")
    fixture.sweep()
    current = fixture.lease("bert")
    assert current[0].number == late[0].number
    assert fixture.finish(late, measurements={**MEASUREMENTS, "accuracy": 0.1}) is False
    assert fixture.counts() == make_counts(running=1)
    assert fixture.finish(current) is True
    (trial,) = fixture.trials()
    assert (trial.values, trial.worker_id, trial.n_attempts) == (VALUES, "bert", 2)


def test_finish_is_refused_when_the_same_worker_leased_it_again(fixture: StudyFixture) -> None:
    late = fixture.lease("anna")
    fixture.sweep("anna")
    fixture.lease("anna")
    assert fixture.finish(late) is False
    assert fixture.counts() == make_counts(running=1)


def test_finish_is_refused_when_it_comes_twice(fixture: StudyFixture) -> None:
    leased = fixture.lease()
    assert fixture.finish(leased) is True
    assert fixture.finish(leased, Outcome.FAILED, reason="again") is False
    (trial,) = fixture.trials()
    assert (trial.state, trial.reason) == ("complete", "")


@pytest.mark.parametrize("outcome", [Outcome.COMPLETE, Outcome.PRUNED, Outcome.FAILED, Outcome.REFUSED])
def test_finish_leaves_the_trial_alone_when_a_person_told_it_through_optuna(
    fixture: StudyFixture, outcome: Outcome
) -> None:
    # A person can end running trials in optuna-dashboard.
    leased = fixture.lease()
    fixture.study.optuna.tell(0, state=TrialState.FAIL)
    fixture.finish(leased, outcome, violations=[-0.1], reason="late")
    assert fixture.study.optuna.trials[0].state == TrialState.FAIL
    assert fixture.counts().running == 0
    assert fixture.sweep() == []
    assert n_leases(fixture) == 0


# Other readers of the same database


def test_stock_optuna_reads_the_study(fixture: StudyFixture) -> None:
    fixture.finish(fixture.lease())
    fixture.finish(fixture.lease(), measurements={**MEASUREMENTS, "accuracy": 0.5}, violations=[0.2])
    fixture.finish(fixture.lease(), Outcome.PRUNED)
    fixture.lease()
    study = optuna.load_study(study_name="digits", storage=fixture.store.url)
    states = [TrialState.COMPLETE, TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING]
    assert [trial.state for trial in study.trials] == states
    assert [trial.number for trial in study.best_trials] == [0]
    assert study.metric_names == list(METRICS)
    study._storage.remove_session()


def test_a_reader_sees_what_a_writer_wrote(fixture: StudyFixture) -> None:
    from tunefront.storage import studies, trials

    fixture.finish(fixture.lease())
    reader = open_store(fixture.store.url)
    study = studies.find(reader, "digits")
    assert study is not None
    assert [trial.values for trial in trials.load(study)] == [VALUES]
    fixture.finish(fixture.lease())  # an open reader does not block a writer
    assert len(trials.load(study)) == 2
    reader.optuna.remove_session()
    reader.engine.dispose()


def test_counts_leave_other_studies_out(fixture: StudyFixture) -> None:
    other = StudyFixture.make(fixture.store.url, name="other")
    other.finish(other.lease(), Outcome.REFUSED)
    other.lease()
    fixture.finish(fixture.lease())
    assert fixture.counts() == make_counts(complete=1)
    assert other.counts() == make_counts(refused=1, running=1)
    assert fixture.sweep("anna") == []
    assert other.sweep("anna") == [1]
    other.store.optuna.remove_session()
    other.store.engine.dispose()
