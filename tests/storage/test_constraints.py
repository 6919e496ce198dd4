from __future__ import annotations

import json
from typing import Any

import optuna
import pytest

from tests.storage.study_fixture import StudyFixture
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES
from tunefront.storage import constraints
from tunefront.storage.outcomes import Outcome

LIMITED = [
    Objective(MEASURES["accuracy"], at_least=0.5),
    Objective(MEASURES["model_bytes"]),
    Objective(MEASURES["train_seconds"], at_most=10.0),
]


def keys_of(fixture: StudyFixture, number: int) -> dict[str, Any]:
    """Return a trial's constraints as Optuna has them, read by a storage of its own."""
    study = optuna.load_study(study_name="digits", storage=fixture.store.url)
    found = study.trials[number].system_attrs
    study._storage.remove_session()
    return {key: value for key, value in found.items() if key.startswith("constraints")}


@pytest.mark.parametrize(
    ("violations", "expected"),
    [
        ({"accuracy": 0.1, "train_seconds": -2.0}, [0.1, -2.0]),
        ({"train_seconds": 3.0}, [0.0, 3.0]),  # an unknown violation counts as none
        ({"model_bytes": 9.0}, [0.0, 0.0]),  # this measure has no limit
        ({}, [0.0, 0.0]),
    ],
)
def test_lists_are_as_long_for_every_trial(violations: dict[str, float], expected: list[float]) -> None:
    assert constraints.as_list(LIMITED, violations) == expected
    assert constraints.as_list([LIMITED[1]], violations) == []


def test_only_the_list_key_is_written_and_counts_once(fixture: StudyFixture) -> None:
    # If Optuna's key for each name were there too, its samplers would count every violation twice.
    fixture.finish(fixture.lease(), violations=[0.25, -2.0])
    assert keys_of(fixture, 0) == {"constraints": [0.25, -2.0]}
    (trial,) = fixture.study.optuna.get_trials()
    assert sum(max(violation, 0) for violation in trial.constraints.values()) == 0.25
    assert constraints.by_measure(trial, LIMITED) == {"accuracy": 0.25, "train_seconds": -2.0}


def test_the_dashboard_reads_what_is_written(fixture: StudyFixture) -> None:
    from optuna_dashboard._serializer import serialize_frozen_trial

    fixture.finish(fixture.lease(), violations=[0.29, -2.0])
    (trial,) = fixture.study.optuna.get_trials()
    assert json.loads(json.dumps(serialize_frozen_trial(0, trial, {})))["constraints"] == [0.29, -2.0]


def write(fixture: StudyFixture, number: int, violations: list[float]) -> None:
    with fixture.store.engine.begin() as connection:
        constraints.write(connection, fixture.study.trial_id(number), violations)


def test_a_trial_without_limits_has_no_key(fixture: StudyFixture) -> None:
    fixture.finish(fixture.lease())
    assert keys_of(fixture, 0) == {}


@pytest.mark.parametrize("is_of_before", [False, True], ids=["list", "names"])
def test_a_retry_forgets_what_a_worker_wrote_that_died_before_it_told(
    fixture: StudyFixture, is_of_before: bool
) -> None:
    lease, trial = fixture.lease("anna")
    fixture.store.optuna.set_trial_user_attr(trial._trial_id, "reason", "train_seconds 12 s breaks its limit")
    if is_of_before:
        trial.set_constraint("train_seconds", 2.0)
    else:
        write(fixture, lease.number, [0.0, 2.0])
    fixture.sweep("anna")
    fixture.finish(fixture.lease("bert"), violations=[-0.1, -2.0])
    assert keys_of(fixture, 0) == {"constraints": [-0.1, -2.0]}
    assert fixture.trials()[0].reason == ""


def test_a_retry_that_fails_keeps_nothing_of_the_attempt_before(fixture: StudyFixture) -> None:
    lease, _ = fixture.lease("anna")
    write(fixture, lease.number, [0.5, 2.0])
    fixture.sweep("anna")
    fixture.finish(fixture.lease("bert"), Outcome.FAILED)
    assert keys_of(fixture, 0) == {}


def test_what_an_older_tunefront_wrote_is_read_by_measure(fixture: StudyFixture) -> None:
    leased = fixture.lease()
    leased[1].set_constraint("train_seconds", 2.0)
    fixture.finish(leased, Outcome.PRUNED)
    (trial,) = fixture.study.optuna.get_trials()
    assert constraints.by_measure(trial, LIMITED) == {"train_seconds": 2.0}


def test_a_list_of_another_length_tells_nothing(fixture: StudyFixture) -> None:
    fixture.finish(fixture.lease(), violations=[1.0])
    (trial,) = fixture.study.optuna.get_trials()
    assert constraints.by_measure(trial, LIMITED) == {}
