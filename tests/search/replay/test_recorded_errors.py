"""Recordings and replays of predicted numbers, whose scores are errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest

from tests.search.recorded import crossing, drawn_parameters, recording, training
from tests.storage.study_fixture import DATASET
from tunefront.objectives.measures import MEASURES
from tunefront.search.replay import make_table, parse_pruner, parse_strategies, play, replay
from tunefront.search.replay.choosers import RandomOrder
from tunefront.search.replay.recording import RecordedTrial, Recording, read_recording, write_recording
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage import curves, queue, studies
from tunefront.storage.curves import Epoch
from tunefront.storage.database.connection import open_store
from tunefront.storage.outcomes import Outcome

DATA = {"source": "npz", "path": "numbers.npz", "task": "regression"}
ERRORS = {"accuracy": {"measure": "rmse"}, "memory": {"measure": "model_bytes"}, "time": False}


def scored(trial: RecordedTrial, measure: str, score: Callable[[float], float]) -> RecordedTrial:
    """Return a training of accuracies with other scores in their place."""
    curve = [replace(epoch, accuracy=score(epoch.accuracy)) for epoch in trial.curve]
    best = MEASURES[measure].best(epoch.accuracy for epoch in curve)
    others = {name: value for name, value in trial.measurements.items() if name != "accuracy"}
    return replace(trial, curve=curve, measurements={**others, measure: best})


def of_errors(*trials: RecordedTrial, objectives: object = ERRORS) -> Recording:
    return recording(*(scored(trial, "rmse", float) for trial in trials), objectives=objectives, data=DATA)


def test_the_least_error_counts_and_hypervolumes_are_of_logarithms() -> None:
    table = make_table(
        of_errors(
            training(0, [100.0, 1.0, 2.0], model_bytes=1e4),
            training(1, [10.0, 10.0, 10.0], model_bytes=1e3),
            training(2, [100.0, 100.0, 100.0], model_bytes=1e4),
        )
    )
    assert table.directions == ["minimize", "minimize"]
    assert table.best_so_far.tolist() == [[100.0, 1.0, 1.0], [10.0] * 3, [100.0] * 3]
    assert table.is_front.tolist() == [True, True, False]
    assert table.points.tolist() == [[0.0, 4.0], [1.0, 3.0], [2.0, 4.0]]
    assert table.reference.tolist() == [2.0, 4.0]
    # Candidate 1 dominates one decade of error times one of bytes; 0 stands on the edge of the worst size.
    assert table.hypervolume([1]) == 1.0
    assert table.hypervolume([0, 2]) == 0.0


def test_an_r2_far_below_zero_does_not_make_the_others_look_alike() -> None:
    r2 = {"accuracy": {"measure": "r2"}, "memory": {"measure": "model_bytes"}, "time": False}
    trials = [training(0, [0.99], 1e3), training(1, [0.75], 1e3), training(2, [-9999.0], 1e4)]
    table = make_table(recording(*(scored(t, "r2", float) for t in trials), objectives=r2, data=DATA))
    assert table.points[:, 0] == pytest.approx([math.log(10), math.log(2), -math.log(100)])
    assert table.hypervolume([1]) == pytest.approx(math.log(200) / math.log(1000))


def test_errors_that_differ_by_digits_alone_are_the_curves() -> None:
    trial = training(0, [2345.678, 2400.0])
    measured = [replace(scored(trial, "rmse", float), candidate=n) for n in range(2)]
    measured[0] = replace(measured[0], measurements={**measured[0].measurements, "rmse": 2345.68})
    measured[1] = replace(measured[1], measurements={**measured[1].measurements, "rmse": 2350.0})
    assert make_table(recording(*measured, objectives=ERRORS, data=DATA)).values[:, 0].tolist() == [2345.678, 2350.0]


def test_every_rule_treats_an_error_as_the_accuracy_of_the_same_skill() -> None:
    """An RMSE of exp(-x) and an accuracy with logit x have the same skill, so the same trials are stopped.

    Their tolerances are not the same: of an error, a share.
    """
    clipped = [
        scored(trial, "accuracy", lambda share: float(np.clip(share, 0.001, 0.999))) for trial in crossing(60).trials
    ]
    objectives = {"memory": {"measure": "model_bytes"}, "time": {"measure": "train_seconds"}}
    accuracies = recording(*clipped, objectives={"accuracy": {"measure": "accuracy"}, **objectives})
    errors = [scored(trial, "rmse", lambda share: (1 - share) / share) for trial in clipped]
    tables = [
        make_table(accuracies),
        make_table(recording(*errors, objectives={"accuracy": {"measure": "rmse"}, **objectives}, data=DATA)),
    ]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for name in ("oracle", "foresight", "dominance", "halving", "strict:0.5"):
        played = [play(table, RandomOrder(table, 1), parse_pruner(name).make(table, 60), 3, 60) for table in tables]
        assert played[0] == played[1], name
        assert 0 < sum(not trial.is_complete for trial in played[0]) < 60, name


def test_optunas_median_stops_the_larger_error() -> None:
    alone = {"accuracy": {"measure": "rmse"}, "memory": False, "time": False}
    trials = [*(training(n, [error] * 3) for n, error in enumerate([3.0, 2.0, 4.0, 5.0, 6.0])), training(5, [9.0] * 3)]
    table = make_table(of_errors(*trials, training(6, [1.0] * 3), objectives=alone))

    class InOrder:
        def __init__(self) -> None:
            self.numbers = iter(range(7))

        def next(self) -> int:
            return next(self.numbers)

        def end(self, candidate: int, is_complete: bool) -> None:
            pass

    played = play(table, InOrder(), parse_pruner("median").make(table, 7), 1, 7)
    assert [trial.candidate for trial in played if not trial.is_complete] == [5]


def test_a_replay_of_errors_reaches_all_of_the_table_without_stopping() -> None:
    trials = [
        training(n, [5.0 + n, 5.0, 4.0 + n % 7], model_bytes=1000.0 + n, parameters=drawn_parameters(n))
        for n in range(12)
    ]
    results = replay(of_errors(*trials), parse_strategies(["random", "tpe"], ["none"]), n_repeats=2)
    for outcomes in results.outcomes.values():
        assert [outcome.hypervolume_share for outcome in outcomes] == [pytest.approx(1.0)] * 2


def test_what_is_written_of_errors_is_read(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'tunefront.db'}", is_writer=True)
    made = StudySpec.model_validate(
        {
            "name": "numbers.recording", "trials": 1, "objectives": ERRORS, "data": DATA,
            "space": {"optimizer": ["sgd", "adam"]}, "training": {"epochs": 2}, "sampler": {"name": "random"},
            "pruner": {"name": "none"},
        }
    )  # fmt: skip
    study = studies.create(store, made.name, made.as_json(), DATASET, ["minimize", "minimize"], ["rmse", "model_bytes"])
    study.optuna.enqueue_trial(drawn_parameters(0))
    with store.exclusively():
        leased = queue.lease_next(study, 100, "anna", "cpu0")
    assert leased is not None
    made.parsed_space().suggest(leased[1])
    for number, error in enumerate((3200.0, 2900.5), start=1):
        curves.append(store, leased[0], Epoch(number, error, 0.5, 0.1, {"rmse": error - 100, "mae": 9.0, "loss": 0.5}))
    measured = {"rmse": 2900.5, "model_bytes": 1000.0}
    assert queue.finish(study, leased[0], Outcome.COMPLETE, values=[2900.5, 1000.0], measurements=measured)
    assert write_recording(study, tmp_path / "table.csv") == 1
    trial = read_recording(tmp_path / "table.csv").trials[0]
    assert trial.measurements == measured
    assert [(epoch.accuracy, epoch.metrics) for epoch in trial.curve] == [
        (3200.0, {"rmse": 3100.0}), (2900.5, {"rmse": 2800.5}),
    ]  # fmt: skip
