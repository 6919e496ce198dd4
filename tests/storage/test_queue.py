"""The contract of leases: which worker runs which trial, and how the trial ends."""

from __future__ import annotations

import optuna
import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from tests.storage.bench import MEASUREMENTS, METRICS, VALUES, Bench, epoch
from tunefront.storage import curves, queue
from tunefront.storage.attempts import Lease
from tunefront.storage.counts import Counts
from tunefront.storage.database import schema
from tunefront.storage.database.connection import open_store
from tunefront.storage.outcomes import Outcome


def make_counts(**counts: int) -> Counts:
    """Return counts that are 0 except those given."""
    return Counts(**{"complete": 0, "pruned": 0, "refused": 0, "failed": 0, "running": 0, "waiting": 0, **counts})


# Taking trials


def test_lease_next_counts_trials_and_attempts(bench: Bench) -> None:
    leases = [bench.lease("anna")[0], bench.lease("bert")[0]]
    assert [(lease.number, lease.attempt, lease.worker_id) for lease in leases] == [(0, 1, "anna"), (1, 1, "bert")]
    assert bench.counts() == make_counts(running=2)


def test_lease_next_gives_nothing_when_enough_are_under_way(bench: Bench) -> None:
    bench.lease(n_trials=2)
    bench.lease(n_trials=2)
    assert bench.try_lease("anna", n_trials=2) is None
    assert len(bench.trials()) == 2


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
def test_lease_next_of_a_study_of_one_trial_when_it_ended(bench: Bench, outcome: Outcome, is_another_due: bool) -> None:
    bench.finish(bench.lease(n_trials=1), outcome)
    assert (bench.try_lease("anna", n_trials=1) is not None) == is_another_due


def test_lease_next_takes_a_returned_trial_before_a_new_one(bench: Bench) -> None:
    first = bench.lease("anna")
    bench.lease("bert")
    bench.finish(first, Outcome.RETURNED)
    lease, _ = bench.lease("carl")
    assert (lease.number, lease.attempt) == (0, 2)


def test_lease_next_makes_no_new_trial_when_only_waiting_ones_are_asked_for(bench: Bench) -> None:
    bench.study.optuna.enqueue_trial({})
    bench.study.optuna.enqueue_trial({})

    def lease() -> tuple[Lease, optuna.Trial] | None:
        with bench.store.exclusively():
            return queue.lease_next(bench.study, 9, "anna", "cpu0", only_waiting=True)

    first = lease()
    assert first is not None
    bench.finish(first, Outcome.FAILED)
    assert lease() is not None
    assert lease() is None
    assert len(bench.trials()) == 2


def test_lease_next_takes_what_a_person_enqueued_through_optuna(bench: Bench) -> None:
    bench.study.optuna.enqueue_trial({"adam.learning_rate": 0.003})
    lease, trial = bench.lease()
    assert lease.number == 0
    assert trial.suggest_float("adam.learning_rate", 1e-4, 1e-2) == 0.003


def test_a_lease_lasts_for_lease_seconds(bench: Bench) -> None:
    bench.lease()
    assert queue.LEASE_SECONDS - 5 < bench.seconds_to_expiry(0) <= queue.LEASE_SECONDS


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
def test_finish_records_each_outcome(bench: Bench, outcome: Outcome, state: str, counts: Counts) -> None:
    assert bench.finish(bench.lease("anna"), outcome, reason="because", model_path="/models/0.keras")
    (trial,) = bench.trials()
    assert (trial.state, trial.reason, trial.worker_id, trial.n_attempts) == (state, "because", "anna", 1)
    assert trial.values == (VALUES if outcome is Outcome.COMPLETE else None)
    assert trial.measurements == MEASUREMENTS
    assert trial.model_path == "/models/0.keras"
    assert trial.slot == ""
    assert trial.started_at is not None
    assert trial.ended_at is not None
    assert trial.started_at <= trial.ended_at
    assert bench.counts() == counts
    assert bench.counts().finished == (1 if outcome in (Outcome.COMPLETE, Outcome.PRUNED) else 0)


def test_a_refusal_that_is_half_written_is_none_of_the_finished(bench: Bench) -> None:
    """Optuna is told before the attempt is ended, and another worker counts in between."""
    bench.lease("anna")
    with bench.store.engine.begin() as connection:
        connection.execute(schema.attempts.update().values(intended=Outcome.REFUSED.value))
    assert bench.counts() == make_counts(running=1)
    bench.study.optuna.tell(0, state=TrialState.PRUNED)
    assert bench.counts() == make_counts(refused=1)
    assert bench.sweep() == []
    assert bench.counts() == make_counts(refused=1)


def test_finish_is_refused_when_the_trial_was_swept(bench: Bench) -> None:
    late = bench.lease("anna")
    bench.expire("anna")
    assert bench.sweep() == [0]
    assert bench.finish(late) is False
    (trial,) = bench.trials()
    assert (trial.state, trial.values, trial.measurements) == ("waiting", None, {})


def test_finish_is_refused_when_another_worker_has_the_trial(bench: Bench) -> None:
    late = bench.lease("anna")
    bench.expire("anna")
    bench.sweep()
    current = bench.lease("bert")
    assert current[0].number == late[0].number
    assert bench.finish(late, measurements={**MEASUREMENTS, "accuracy": 0.1}) is False
    assert bench.counts() == make_counts(running=1)
    assert bench.finish(current) is True
    (trial,) = bench.trials()
    assert (trial.values, trial.worker_id, trial.n_attempts) == (VALUES, "bert", 2)


def test_finish_is_refused_when_the_same_worker_leased_it_again(bench: Bench) -> None:
    late = bench.lease("anna")
    bench.sweep("anna")
    bench.lease("anna")
    assert bench.finish(late) is False
    assert bench.counts() == make_counts(running=1)


def test_finish_is_refused_when_it_comes_twice(bench: Bench) -> None:
    leased = bench.lease()
    assert bench.finish(leased) is True
    assert bench.finish(leased, Outcome.FAILED, reason="again") is False
    (trial,) = bench.trials()
    assert (trial.state, trial.reason) == ("complete", "")


@pytest.mark.parametrize("outcome", [Outcome.COMPLETE, Outcome.PRUNED, Outcome.FAILED, Outcome.REFUSED])
def test_finish_leaves_the_trial_alone_when_a_person_told_it_through_optuna(bench: Bench, outcome: Outcome) -> None:
    # A person can end running trials in optuna-dashboard.
    leased = bench.lease()
    bench.study.optuna.tell(0, state=TrialState.FAIL)
    bench.finish(leased, outcome, violations=[-0.1], reason="late")
    assert bench.study.optuna.trials[0].state == TrialState.FAIL
    assert bench.counts().running == 0
    assert bench.sweep() == []
    assert _n_leases(bench) == 0


# Renewing and sweeping


def test_sweep_takes_only_expired_leases(bench: Bench) -> None:
    bench.lease("anna")
    bench.lease("bert")
    bench.expire("anna")
    assert bench.sweep() == [0]
    assert bench.counts() == make_counts(running=1, waiting=1)
    assert bench.sweep() == []


def test_sweep_leaves_a_trial_whose_lease_was_renewed(bench: Bench) -> None:
    bench.lease("anna")
    bench.lease("bert")
    bench.expire("anna")
    bench.expire("bert")
    queue.renew(bench.store, "anna")
    assert bench.seconds_to_expiry(0) > queue.LEASE_SECONDS - 5
    assert bench.sweep() == [1]


def test_sweep_takes_the_trials_of_workers_that_are_known_to_be_dead(bench: Bench) -> None:
    for worker in ("anna", "bert", "anna", "carl"):
        bench.lease(worker)
    assert bench.sweep("anna", "carl") == [0, 2, 3]
    assert bench.counts() == make_counts(running=1, waiting=3)


def test_sweep_takes_a_running_trial_when_it_has_no_lease(bench: Bench) -> None:
    bench.study.optuna.ask()  # a worker that died between Optuna's row and ours
    assert bench.sweep() == [0]
    lease, _ = bench.lease()
    assert (lease.number, lease.attempt) == (0, 1)


def test_sweep_ends_an_attempt_when_its_worker_died_after_telling_optuna(bench: Bench) -> None:
    bench.lease("anna")
    bench.study.optuna.tell(0, values=VALUES)
    assert bench.sweep() == []
    assert _n_leases(bench) == 0
    (trial,) = bench.trials()
    assert (trial.state, trial.slot) == ("complete", "")
    assert trial.ended_at is not None


def test_lease_next_takes_a_trial_when_its_worker_died_while_it_gave_it_back(bench: Bench) -> None:
    # Optuna's row is waiting again and our lease still exists, because the two are not changed in one transaction.
    bench.lease("anna")
    bench.store.optuna.set_trial_state_values(bench.trial_id(0), TrialState.WAITING)
    lease, _ = bench.lease("bert")
    assert (lease.number, lease.attempt, lease.worker_id) == (0, 2, "bert")
    assert _n_leases(bench) == 1


def test_renew_notes_that_the_worker_is_alive(bench: Bench) -> None:
    from tunefront.storage import studies

    studies.register_worker(bench.study, "anna", "host", 1, {})
    (before,) = studies.list_workers(bench.study)
    queue.renew(bench.store, "anna")
    (after,) = studies.list_workers(bench.study)
    assert after.seen_at >= before.seen_at
    assert after.started_at == before.started_at


# Another attempt


def test_a_retry_is_clean(bench: Bench) -> None:
    leased = bench.lease("anna")
    rate = leased[1].suggest_float("adam.learning_rate", 1e-4, 1e-2)
    curves.append(bench.store, leased[0], epoch(1))
    bench.finish(leased, Outcome.RETURNED, reason="interrupted")
    lease, trial = bench.lease("bert")
    assert trial.suggest_float("adam.learning_rate", 1e-4, 1e-2) == rate  # the same candidate
    (record,) = bench.trials()
    assert (record.state, record.n_attempts, record.worker_id) == ("running", 2, "bert")
    assert record.measurements == {}
    assert record.epochs == []
    assert record.reason == ""
    assert bench.finish((lease, trial))


def test_a_retry_has_constraints_of_its_own(bench: Bench) -> None:
    bench.finish(bench.lease(), Outcome.RETURNED, violations=[-1.0])
    bench.finish(bench.lease(), Outcome.PRUNED, violations=[2.0])
    (trial,) = bench.trials()
    assert trial.is_feasible is False


def test_an_epoch_is_refused_when_the_trial_was_swept(bench: Bench) -> None:
    # A worker slept longer than its lease lasted, so its late results belong to no attempt.
    late, _ = bench.lease("anna")
    bench.sweep("anna")
    current, _ = bench.lease("bert")
    curves.append(bench.store, current, epoch(1, accuracy=0.5))
    curves.append(bench.store, late, epoch(1, accuracy=0.1))
    curves.append(bench.store, late, epoch(2, accuracy=0.2))
    (trial,) = bench.trials()
    assert [(point.epoch, point.accuracy) for point in trial.epochs] == [(1, 0.5)]


def test_a_trial_fails_when_its_worker_is_lost_in_every_attempt(bench: Bench) -> None:
    for attempt in range(1, queue.MAX_ATTEMPTS + 1):
        lease, _ = bench.lease(f"worker{attempt}")
        assert (lease.number, lease.attempt) == (0, attempt)
        assert bench.sweep(f"worker{attempt}") == [0]
    (trial,) = bench.trials()
    assert (trial.state, trial.n_attempts) == ("failed", queue.MAX_ATTEMPTS)
    assert "worker was lost" in trial.reason
    assert bench.lease()[0].number == 1


def test_a_trial_is_not_given_up_when_it_was_only_interrupted(bench: Bench) -> None:
    # After many interruptions with Ctrl-C, the worker is lost once: the trial is unlikely to be the cause.
    for _ in range(queue.MAX_ATTEMPTS):
        bench.finish(bench.lease("anna"), Outcome.RETURNED, reason="interrupted")
    bench.lease("anna")
    bench.sweep("anna")
    assert bench.counts() == make_counts(waiting=1)


# Other readers of the same database


def test_stock_optuna_reads_the_study(bench: Bench) -> None:
    bench.finish(bench.lease())
    bench.finish(bench.lease(), measurements={**MEASUREMENTS, "accuracy": 0.5}, violations=[0.2])
    bench.finish(bench.lease(), Outcome.PRUNED)
    bench.lease()
    study = optuna.load_study(study_name="digits", storage=bench.store.url)
    states = [TrialState.COMPLETE, TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING]
    assert [trial.state for trial in study.trials] == states
    assert [trial.number for trial in study.best_trials] == [0]
    assert study.metric_names == list(METRICS)
    study._storage.remove_session()


def test_a_reader_sees_what_a_writer_wrote(bench: Bench) -> None:
    from tunefront.storage import studies, trials

    bench.finish(bench.lease())
    reader = open_store(bench.store.url)
    study = studies.find(reader, "digits")
    assert study is not None
    assert [trial.values for trial in trials.load(study)] == [VALUES]
    bench.finish(bench.lease())  # an open reader does not block a writer
    assert len(trials.load(study)) == 2
    reader.optuna.remove_session()
    reader.engine.dispose()


def test_counts_leave_other_studies_out(bench: Bench) -> None:
    other = Bench.make(bench.store.url, name="other")
    other.finish(other.lease(), Outcome.REFUSED)
    other.lease()
    bench.finish(bench.lease())
    assert bench.counts() == make_counts(complete=1)
    assert other.counts() == make_counts(refused=1, running=1)
    assert bench.sweep("anna") == []
    assert other.sweep("anna") == [1]
    other.store.optuna.remove_session()
    other.store.engine.dispose()


def _n_leases(bench: Bench) -> int:
    with bench.store.engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(schema.leases)).scalar_one()
