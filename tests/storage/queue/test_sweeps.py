"""Leases that are renewed or run out, what sweeps take back, and the attempts that follow."""

from __future__ import annotations

from optuna.trial import TrialState

from tests.storage.queue.queue_counts import make_counts, n_leases
from tests.storage.study_fixture import VALUES, StudyFixture, epoch
from tunefront.storage import curves, queue
from tunefront.storage.outcomes import Outcome


def test_sweep_takes_only_expired_leases(fixture: StudyFixture) -> None:
    fixture.lease("anna")
    fixture.lease("bert")
    fixture.expire("anna")
    assert fixture.sweep() == [0]
    assert fixture.counts() == make_counts(running=1, waiting=1)
    assert fixture.sweep() == []


def test_sweep_leaves_a_trial_whose_lease_was_renewed(fixture: StudyFixture) -> None:
    fixture.lease("anna")
    fixture.lease("bert")
    fixture.expire("anna")
    fixture.expire("bert")
    queue.renew(fixture.store, "anna")
    assert fixture.seconds_to_expiry(0) > fixture.store.waits.lease_seconds - 5
    assert fixture.sweep() == [1]


def test_sweep_takes_the_trials_of_workers_that_are_known_to_be_dead(fixture: StudyFixture) -> None:
    for worker in ("anna", "bert", "anna", "carl"):
        fixture.lease(worker)
    assert fixture.sweep("anna", "carl") == [0, 2, 3]
    assert fixture.counts() == make_counts(running=1, waiting=3)


def test_sweep_takes_a_running_trial_when_it_has_no_lease(fixture: StudyFixture) -> None:
    fixture.study.optuna.ask()  # a worker that died between Optuna's row and ours
    assert fixture.sweep() == [0]
    lease, _ = fixture.lease()
    assert (lease.number, lease.attempt) == (0, 1)


def test_sweep_ends_an_attempt_when_its_worker_died_after_telling_optuna(fixture: StudyFixture) -> None:
    fixture.lease("anna")
    fixture.study.optuna.tell(0, values=VALUES)
    assert fixture.sweep() == []
    assert n_leases(fixture) == 0
    (trial,) = fixture.trials()
    assert (trial.state, trial.slot) == ("complete", "")
    assert trial.ended_at is not None


def test_lease_next_takes_a_trial_when_its_worker_died_while_it_gave_it_back(fixture: StudyFixture) -> None:
    # Optuna's row is waiting again and our lease still exists, because the two are not changed in one transaction.
    fixture.lease("anna")
    fixture.store.optuna.set_trial_state_values(fixture.trial_id(0), TrialState.WAITING)
    lease, _ = fixture.lease("bert")
    assert (lease.number, lease.attempt, lease.worker_id) == (0, 2, "bert")
    assert n_leases(fixture) == 1


def test_renew_notes_that_the_worker_is_alive(fixture: StudyFixture) -> None:
    from tunefront.storage import studies

    studies.register_worker(fixture.study, "anna", "host", 1, {})
    (before,) = studies.list_workers(fixture.study)
    queue.renew(fixture.store, "anna")
    (after,) = studies.list_workers(fixture.study)
    assert after.seen_at >= before.seen_at
    assert after.started_at == before.started_at


# Another attempt


def test_a_retry_is_clean(fixture: StudyFixture) -> None:
    leased = fixture.lease("anna")
    rate = leased[1].suggest_float("adam.learning_rate", 1e-4, 1e-2)
    curves.append(fixture.store, leased[0], epoch(1))
    fixture.finish(leased, Outcome.RETURNED, reason="interrupted")
    lease, trial = fixture.lease("bert")
    assert trial.suggest_float("adam.learning_rate", 1e-4, 1e-2) == rate  # the same candidate
    (record,) = fixture.trials()
    assert (record.state, record.n_attempts, record.worker_id) == ("running", 2, "bert")
    assert record.measurements == {}
    assert record.epochs == []
    assert record.reason == ""
    assert fixture.finish((lease, trial))


def test_a_retry_has_constraints_of_its_own(fixture: StudyFixture) -> None:
    fixture.finish(fixture.lease(), Outcome.RETURNED, violations=[-1.0])
    fixture.finish(fixture.lease(), Outcome.PRUNED, violations=[2.0])
    (trial,) = fixture.trials()
    assert trial.is_feasible is False


def test_an_epoch_is_refused_when_the_trial_was_swept(fixture: StudyFixture) -> None:
    # A worker slept longer than its lease lasted, so its late results belong to no attempt.
    late, _ = fixture.lease("anna")
    fixture.sweep("anna")
    current, _ = fixture.lease("bert")
    curves.append(fixture.store, current, epoch(1, accuracy=0.5))
    curves.append(fixture.store, late, epoch(1, accuracy=0.1))
    curves.append(fixture.store, late, epoch(2, accuracy=0.2))
    (trial,) = fixture.trials()
    assert [(point.epoch, point.accuracy) for point in trial.epochs] == [(1, 0.5)]


def test_a_trial_fails_when_its_worker_is_lost_in_every_attempt(fixture: StudyFixture) -> None:
    for attempt in range(1, queue.MAX_ATTEMPTS + 1):
        lease, _ = fixture.lease(f"worker{attempt}")
        assert (lease.number, lease.attempt) == (0, attempt)
        assert fixture.sweep(f"worker{attempt}") == [0]
    (trial,) = fixture.trials()
    assert (trial.state, trial.n_attempts) == ("failed", queue.MAX_ATTEMPTS)
    assert "worker was lost" in trial.reason
    assert fixture.lease()[0].number == 1


def test_a_trial_is_not_given_up_when_it_was_only_interrupted(fixture: StudyFixture) -> None:
    # After many interruptions with Ctrl-C, the worker is lost once: the trial is unlikely to be the cause.
    for _ in range(queue.MAX_ATTEMPTS):
        fixture.finish(fixture.lease("anna"), Outcome.RETURNED, reason="interrupted")
    fixture.lease("anna")
    fixture.sweep("anna")
    assert fixture.counts() == make_counts(waiting=1)
