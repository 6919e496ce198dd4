"""Short names of parameters, those that differ, and their values as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.parameters import Parameters, chips_of


def _parameters(folder: Path, *trials: dict[str, Any]) -> tuple[Parameters, list[Any]]:
    fixture = ReportFixture.make(folder)
    for parameters in trials:
        fixture.complete(0.9, 10, 1.0, parameters=parameters)
    records = list(fixture.results().trials)
    return Parameters.of(records), records


def test_optimizers_share_a_column_when_each_has_its_own_learning_rate(tmp_path: Path) -> None:
    found, trials = _parameters(
        tmp_path,
        {"optimizer.name": "adam", "adam.learning_rate": 0.001, "training.batch_size": 32},
        {"optimizer.name": "sgd", "sgd.learning_rate": 0.5, "sgd.momentum": 0.9, "training.batch_size": 32},
    )
    assert found.differing == ("optimizer", "learning_rate", "momentum")
    assert found.shared == {"batch_size": 32}
    assert [found.value(trial, "learning_rate") for trial in trials] == [0.001, 0.5]
    assert found.value(trials[0], "momentum") is None
    assert found.summary(trials[1], found.differing) == "sgd, learning rate 0.5, momentum 0.9"


def test_a_name_stays_whole_when_a_trial_has_two_of_it(tmp_path: Path) -> None:
    found, trials = _parameters(
        tmp_path, {"cnn.dropout": 0.1, "head.dropout": 0.2}, {"cnn.dropout": 0.3, "head.dropout": 0.2}
    )
    assert found.differing == ("cnn.dropout",)
    assert found.shared == {"head.dropout": 0.2}
    assert found.summary(trials[0]) == "cnn dropout 0.1, head dropout 0.2"
    assert chips_of(trials[0].parameters) == ["cnn dropout 0.1", "head dropout 0.2"]


def test_only_the_name_of_a_choice_speaks_for_itself(tmp_path: Path) -> None:
    found, trials = _parameters(tmp_path, {"optimizer.name": "adam", "augmentation.level": "sgd", "cnn.kind": "a|b"})
    assert found.summary(trials[0]) == "adam, augmentation sgd, kind a|b"
    assert chips_of(trials[0].parameters) == ["adam", "augmentation sgd", "kind a|b"]


def test_what_the_spec_calls_otherwise_has_its_key(tmp_path: Path) -> None:
    found, trials = _parameters(
        tmp_path,
        {"image.size": 32, "output.activation": "sgd", "plain_cnn.activation": "adam", "schedule.name": "a|b"},
    )
    assert found.summary(trials[0]) == "image size 32, output sgd, activation adam, a|b"


def test_true_differs_from_one(tmp_path: Path) -> None:
    found, _ = _parameters(tmp_path, {"a.x": True}, {"b.x": 1})
    assert found.differing == ("x",)


def test_nothing_differs_when_there_is_no_trial() -> None:
    assert Parameters.of([]).differing == ()
