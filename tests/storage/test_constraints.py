from __future__ import annotations

import json
from typing import Any

import optuna
import pytest

from tests.storage.bench import Bench
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES
from tunefront.storage import constraints
from tunefront.storage.outcomes import Outcome

LIMITED = [
    Objective(MEASURES["accuracy"], at_least=0.5),
    Objective(MEASURES["model_bytes"]),
    Objective(MEASURES["train_seconds"], at_most=10.0),
]


def keys_of(bench: Bench, number: int) -> dict[str, Any]:
    """Return a trial's constraints as Optuna has them, read by a storage of its own."""
    study = optuna.load_study(study_name="digits", storage=bench.store.url)
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


def test_only_the_list_key_is_written_and_counts_once(bench: Bench) -> None:
    # If Optuna's key for each name were there too, its samplers would count every violation twice.
    bench.finish(bench.lease(), violations=[0.25, -2.0])
    assert keys_of(bench, 0) == {"constraints": [0.25, -2.0]}
    (trial,) = bench.study.optuna.get_trials()
    assert sum(max(violation, 0) for violation in trial.constraints.values()) == 0.25
    assert constraints.by_measure(trial, LIMITED) == {"accuracy": 0.25, "train_seconds": -2.0}


def test_the_dashboard_reads_what_is_written(bench: Bench) -> None:
    from optuna_dashboard._serializer import serialize_frozen_trial

    bench.finish(bench.lease(), violations=[0.29, -2.0])
    (trial,) = bench.study.optuna.get_trials()
    assert json.loads(json.dumps(serialize_frozen_trial(0, trial, {})))["constraints"] == [0.29, -2.0]


def test_a_trial_without_limits_has_no_key(bench: Bench) -> None:
    bench.finish(bench.lease())
    assert keys_of(bench, 0) == {}


@pytest.mark.parametrize("is_of_before", [False, True], ids=["list", "names"])
def test_a_retry_forgets_what_a_worker_wrote_that_died_before_it_told(bench: Bench, is_of_before: bool) -> None:
    lease, trial = bench.lease("anna")
    bench.store.optuna.set_trial_user_attr(trial._trial_id, "reason", "train_seconds 12 s breaks its limit")
    if is_of_before:
        trial.set_constraint("train_seconds", 2.0)
    else:
        constraints.write(bench.study, lease.number, [0.0, 2.0])
    bench.sweep("anna")
    bench.finish(bench.lease("bert"), violations=[-0.1, -2.0])
    assert keys_of(bench, 0) == {"constraints": [-0.1, -2.0]}
    assert bench.trials()[0].reason == ""


def test_a_retry_that_fails_keeps_nothing_of_the_attempt_before(bench: Bench) -> None:
    lease, _ = bench.lease("anna")
    constraints.write(bench.study, lease.number, [0.5, 2.0])
    bench.sweep("anna")
    bench.finish(bench.lease("bert"), Outcome.FAILED)
    assert keys_of(bench, 0) == {}


def test_what_an_older_tunefront_wrote_is_read_by_measure(bench: Bench) -> None:
    leased = bench.lease()
    leased[1].set_constraint("train_seconds", 2.0)
    bench.finish(leased, Outcome.PRUNED)
    (trial,) = bench.study.optuna.get_trials()
    assert constraints.by_measure(trial, LIMITED) == {"train_seconds": 2.0}


def test_a_list_of_another_length_tells_nothing(bench: Bench) -> None:
    bench.finish(bench.lease(), violations=[1.0])
    (trial,) = bench.study.optuna.get_trials()
    assert constraints.by_measure(trial, LIMITED) == {}
