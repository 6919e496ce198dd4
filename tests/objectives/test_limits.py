from __future__ import annotations

import math

import pytest

from tunefront.objectives.limits import (
    Objective,
    broken_limit,
    read_extra_limits,
    read_limits,
    read_objectives,
    violations,
)
from tunefront.objectives.measures import MEASURES


@pytest.mark.parametrize(
    ("at_least", "at_most", "value", "expected"),
    [
        (None, None, 5.0, -math.inf),
        (0.5, None, 0.4, 0.1),
        (0.5, None, 0.5, 0.0),  # limits are inclusive
        (0.5, None, 0.9, -0.4),
        (None, 100.0, 130.0, 30.0),
        (None, 100.0, 100.0, 0.0),
        (None, 100.0, 40.0, -60.0),
        (10.0, 100.0, 40.0, -30.0),
        (10.0, 100.0, 4.0, 6.0),
        (10.0, 100.0, 104.0, 4.0),
    ],
)
def test_violation_of_limits(at_least: float | None, at_most: float | None, value: float, expected: float) -> None:
    objective = Objective(MEASURES["model_bytes"], at_least, at_most)
    assert objective.violation(value) == pytest.approx(expected)
    assert objective.has_limit == (at_least is not None or at_most is not None)


@pytest.mark.parametrize(
    ("measure", "at_least", "at_most", "best", "expected"),
    [
        ("accuracy", 0.5, None, 0.4, True),
        ("accuracy", 0.5, None, 0.5, False),
        ("accuracy", None, 0.9, 0.95, False),  # it can still end lower
        ("accuracy", None, None, 0.0, False),
        ("train_seconds", None, 10.0, 11.0, True),
        ("train_seconds", None, 10.0, 10.0, False),
        ("train_seconds", 10.0, None, 1.0, False),  # it can still take longer
    ],
)
def test_is_out_of_reach_of_a_best_value(
    measure: str, at_least: float | None, at_most: float | None, best: float, expected: bool
) -> None:
    assert Objective(MEASURES[measure], at_least, at_most).is_out_of_reach(best) is expected


@pytest.mark.parametrize(
    ("measure", "at_least", "at_most", "value", "expected"),
    [
        ("accuracy", 0.5, None, 0.4, "accuracy 40.00 % breaks its limit of at least 50.00 %"),
        ("model_bytes", None, 1e6, 2.5e6, "model_bytes 2.5 MB breaks its limit of at most 1 MB"),
        ("model_bytes", 1e3, 1e6, 10.0, "model_bytes 10 B breaks its limit of at least 1 kB"),
        ("latency_seconds", None, 0.005, 0.01, "latency_seconds 10 ms breaks its limit of at most 5 ms"),
    ],
)
def test_describe_violation_names_measure_value_and_limit(
    measure: str, at_least: float | None, at_most: float | None, value: float, expected: str
) -> None:
    assert Objective(MEASURES[measure], at_least, at_most).describe_violation(value) == expected


LIMITED = [
    Objective(MEASURES["accuracy"], at_least=0.5),
    Objective(MEASURES["model_bytes"], at_most=1e6),
    Objective(MEASURES["train_seconds"]),
]


@pytest.mark.parametrize(
    ("measurements", "expected", "first"),
    [
        ({"accuracy": 0.75, "model_bytes": 1e6, "train_seconds": 9.0}, {"accuracy": -0.25, "model_bytes": 0.0}, ""),
        ({"accuracy": 0.25, "model_bytes": 2e6}, {"accuracy": 0.25, "model_bytes": 1e6}, "accuracy 25.00 % breaks"),
        ({"model_bytes": 2e6}, {"model_bytes": 1e6}, "model_bytes 2 MB breaks its limit of at most 1 MB"),
        ({"train_seconds": 9.0}, {}, ""),
    ],
)
def test_limits_of_several_objectives(measurements: dict[str, float], expected: dict[str, float], first: str) -> None:
    assert violations(LIMITED, measurements) == expected
    assert broken_limit(LIMITED, measurements).startswith(first)
    assert bool(broken_limit(LIMITED, measurements)) is bool(first)


@pytest.mark.parametrize(
    ("objective", "best_limit", "described"),
    [
        (Objective(MEASURES["accuracy"], 0.5, 0.9), 0.5, "at least 50.00 %, at most 90.00 %"),
        (Objective(MEASURES["model_bytes"], 10.0, 1e6), 1e6, "at least 10 B, at most 1 MB"),
        (Objective(MEASURES["model_bytes"], at_least=10.0), None, "at least 10 B"),
        (Objective(MEASURES["accuracy"]), None, ""),
    ],
)
def test_limits_of_one_objective(objective: Objective, best_limit: float | None, described: str) -> None:
    assert objective.best_limit == best_limit
    assert objective.describe_limits() == described


SPEC = {
    "objectives": {
        "accuracy": {"measure": "accuracy", "at_least": 0.5, "at_most": None},
        "memory": {"measure": "litert_bytes", "at_least": None, "at_most": 30_000.0},
        "time": None,
    },
    "limits": {"accuracy": 0.8, "macs": 1e6, "litert_bytes": 90_000.0, "recall": 0.6},
    "deploy": {"precision": "int8", "device": {"name": "board", "flash": 20_000.0, "ram": 16_000.0}},
}


def test_limits_of_the_table_and_of_a_device_join_those_of_objectives() -> None:
    accuracy, memory = read_objectives(SPEC).values()
    assert (accuracy.measure.name, accuracy.at_least, accuracy.at_most) == ("accuracy", 0.8, None)
    assert (memory.measure.name, memory.at_least, memory.at_most) == ("litert_bytes", None, 20_000.0)
    extra = [(one.measure.name, one.at_least, one.at_most) for one in read_extra_limits(SPEC)]
    assert extra == [("recall", 0.6, None), ("arena_bytes", None, 16_000.0), ("macs", None, 1e6)]
    names = [one.measure.name for one in read_limits(SPEC)]
    assert names == ["accuracy", "litert_bytes", "recall", "arena_bytes", "macs"]


def test_the_tighter_of_two_limits_on_one_measure_holds() -> None:
    looser = {**SPEC, "deploy": {"device": {"name": "board", "flash": 80_000.0, "ram": 1.0}}}
    assert read_objectives(looser)["memory"].at_most == 30_000.0
    memory = Objective(MEASURES["model_bytes"], at_most=5.0)
    assert [memory.tightened(limit).at_most for limit in (None, 4.0, 6.0)] == [5.0, 4.0, 5.0]
    accuracy = Objective(MEASURES["accuracy"], at_least=0.5)
    assert [accuracy.tightened(limit).at_least for limit in (0.4, 0.6)] == [0.5, 0.6]


def test_a_spec_of_an_older_tunefront_has_no_further_limits() -> None:
    assert read_extra_limits({"objectives": SPEC["objectives"]}) == []
