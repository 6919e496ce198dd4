from __future__ import annotations

from tests.storage.study_fixture import MEASUREMENTS, StudyFixture, epoch, with_limits
from tunefront.storage import curves, studies, trials
from tunefront.storage.outcomes import Outcome


def test_load_when_there_are_no_trials(fixture: StudyFixture) -> None:
    assert fixture.trials() == []


def test_load_of_a_running_trial(fixture: StudyFixture) -> None:
    lease, trial = fixture.lease("anna", slot="gpu1.0")
    trial.suggest_float("adam.learning_rate", 0.001, 0.001)
    trial.suggest_categorical("optimizer.name", ["adam"])
    curves.append(fixture.store, lease, epoch(1))
    (record,) = fixture.trials()
    assert (record.number, record.state, record.slot, record.worker_id) == (0, "running", "gpu1.0", "anna")
    assert record.parameters == {"adam.learning_rate": 0.001, "optimizer.name": "adam"}
    assert record.epochs == [epoch(1)]
    assert (record.values, record.ended_at, record.reason, record.model_path) == (None, None, "", "")
    assert record.n_attempts == 1


def test_load_of_an_enqueued_trial(fixture: StudyFixture) -> None:
    fixture.study.optuna.enqueue_trial({"x": 1})
    (record,) = fixture.trials()
    assert (record.state, record.n_attempts, record.worker_id, record.started_at) == ("waiting", 0, "", None)


def test_load_keeps_the_order_of_numbers(fixture: StudyFixture) -> None:
    leased = [fixture.lease() for _ in range(3)]
    fixture.finish(leased[2])
    fixture.finish(leased[0], Outcome.PRUNED, reason="dominated")
    assert [(record.number, record.state) for record in fixture.trials()] == [
        (0, "pruned"),
        (1, "running"),
        (2, "complete"),
    ]


def test_load_tells_what_breaks_a_limit(fixture: StudyFixture) -> None:
    for violation in (-0.1, 0.0, 0.1):
        fixture.finish(fixture.lease(), Outcome.PRUNED, violations=[violation, -5.0])
    leased = fixture.lease()
    leased[1].set_constraint("accuracy", 0.1)  # as an older tunefront did
    fixture.finish(leased, Outcome.PRUNED)
    assert [record.is_feasible for record in fixture.trials()] == [True, True, False, False]


def test_load_tells_by_its_values_what_limit_a_complete_trial_breaks(fixture: StudyFixture) -> None:
    # The trial took 8 s and the limit is 10 s, but the stored constraint is of an earlier attempt that took 12 s.
    studies.update_spec(fixture.study, with_limits(fixture, time={"at_most": 10.0}))
    for seconds, violation in ((8.0, 2.0), (10.0, -1.0), (10.5, -1.0)):
        measurements = {**MEASUREMENTS, "train_seconds": seconds}
        fixture.finish(fixture.lease(), violations=[violation], measurements=measurements)
    assert [record.is_feasible for record in fixture.trials()] == [True, True, False]


def test_measurements_keep_their_precision(fixture: StudyFixture) -> None:
    measurements = {**MEASUREMENTS, "model_bytes": 123_456_789_012.0, "latency_seconds": 1.23456789e-05}
    fixture.finish(fixture.lease(), measurements=measurements)
    (record,) = fixture.trials()
    assert record.measurements == measurements


def test_set_model_path_of_the_last_attempt(fixture: StudyFixture) -> None:
    fixture.finish(fixture.lease("anna"), Outcome.RETURNED)
    fixture.finish(fixture.lease("bert"), model_path="/models/trial-0.keras")
    fixture.finish(fixture.lease("bert"), model_path="/models/trial-1.keras")
    trials.set_model_path(fixture.study, 0, "")
    assert [record.model_path for record in fixture.trials()] == ["", "/models/trial-1.keras"]
