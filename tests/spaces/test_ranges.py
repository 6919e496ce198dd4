from __future__ import annotations

import json
import re
from typing import Any

import optuna
import pytest

from tunefront.spaces.ranges import Choice, Fixed, FloatRange, IntRange, Range, parse_range, write_range


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (3, Fixed(3)),
        (0.5, Fixed(0.5)),
        ("adam", Fixed("adam")),
        (True, Fixed(True)),
        ([3], Fixed(3)),
        ([3, 5], Choice((3, 5))),
        (["sgd", "adam"], Choice(("sgd", "adam"))),
        ([False, True], Choice((False, True))),
        ([1, True], Choice((1, True))),  # different values in a spec, though equal in Python
        ([0, 0.5], Choice((0, 0.5))),
        ({"low": 1, "high": 3}, IntRange(1, 3)),
        ({"low": 0, "high": 10, "step": 5}, IntRange(0, 10, 5)),
        ({"low": 1, "high": 100, "log": True}, IntRange(1, 100, 1, True)),
        ({"low": 0.1, "high": 1.0}, FloatRange(0.1, 1.0)),
        ({"low": 0, "high": 0.5}, FloatRange(0.0, 0.5)),
        ({"low": 0, "high": 1, "step": 0.25}, FloatRange(0.0, 1.0, 0.25)),
        ({"low": 1e-4, "high": 1e-2, "log": True}, FloatRange(1e-4, 1e-2, None, True)),
        ({"low": -1, "high": 1}, IntRange(-1, 1)),
        ({"low": 2, "high": 2}, Fixed(2)),
        ({"low": 0.5, "high": 0.5, "log": True}, Fixed(0.5)),
    ],
)
def test_parse_range_when_well_written(written: Any, expected: Range) -> None:
    parsed = parse_range(written)
    assert parsed == expected
    assert repr(parsed) == repr(expected)  # 1 == 1.0 == True, but they are not the same setting


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (None, "None is neither a value, a list of choices nor { low = ..., high = ... }"),
        ([], "the list is empty: give at least one value"),
        ([1, 1], "[1, 1] names a value twice"),
        (["adam", "adam"], "names a value twice"),
        ([1, [2]], "[2] is not a number, text, true or false"),
        ([{"low": 1}], "{'low': 1} is not a number, text, true or false"),
        ({}, "{} is not a range: write { low = 0.1, high = 1.0 }"),
        ({"low": 1}, "is not a range"),
        ({"high": 1}, "is not a range"),
        ({"low": 1, "high": 2, "stop": 1}, "{'low': 1, 'high': 2, 'stop': 1} is not a range"),
        ({"low": "1", "high": 2}, "low = '1' is not a number"),
        ({"low": 1, "high": True}, "high = True is not a number"),
        ({"low": 1, "high": 2, "step": "1"}, "step = '1' is not a number"),
        ({"low": 1, "high": 2, "log": 1}, "log = 1 is neither true nor false"),
        ({"low": 2, "high": 1}, "low = 2 is above high = 1: exchange them"),
        ({"low": 0, "high": 1, "log": True}, "a log scale needs low above 0 and no step"),
        ({"low": -1.0, "high": 1.0, "log": True}, "a log scale needs low above 0"),
        ({"low": 1, "high": 4, "log": True, "step": 2}, "a log scale needs low above 0 and no step"),
        ({"low": 1, "high": 4, "step": 0}, "step = 0 must be above 0"),
        ({"low": 1, "high": 4, "step": -1}, "step = -1 must be above 0"),
        ({"low": 0.0, "high": 1.0, "step": 1e-300}, "step = 1e-300 makes more than 100,000 values"),  # listed for ever
        ({"low": 0.0, "high": 1.0, "step": 5e-324}, "step = 5e-324 makes more than"),
        ({"low": 0.0, "high": 1.0, "step": float("nan")}, "step = nan"),  # Optuna would only say so in a trial
        ({"low": 0.0, "high": 1.0, "step": float("inf")}, "step = inf"),
    ],
)
def test_parse_range_when_badly_written(written: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_range(written)


@pytest.mark.parametrize(
    ("spec_range", "values"),
    [
        (Choice(("sgd", "adam")), {"sgd", "adam"}),
        (Choice((False, True)), {False, True}),
        (IntRange(1, 3), {1, 2, 3}),
        (IntRange(0, 10, 5), {0, 5, 10}),
        (IntRange(1, 2, 1, True), {1, 2}),
        (FloatRange(0.0, 1.0, 0.5), {0.0, 0.5, 1.0}),
    ],
)
def test_suggest_reaches_every_value_and_no_other(spec_range: Range, values: set[Any]) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    drawn = [spec_range.suggest(study.ask(), "group.name") for _ in range(60)]
    assert set(drawn) == values
    assert {type(value) for value in drawn} == {type(value) for value in values}


def test_suggest_stays_inside_when_the_scale_is_logarithmic() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    drawn = [FloatRange(1e-4, 1e-2, log=True).suggest(study.ask(), "group.rate") for _ in range(200)]
    assert all(1e-4 <= value <= 1e-2 for value in drawn)
    assert 70 < sum(value < 1e-3 for value in drawn) < 130  # half of them in the lower decade


def test_suggest_makes_no_parameter_when_the_value_is_fixed() -> None:
    trial = optuna.create_study().ask()
    assert Fixed("adam").suggest(trial, "optimizer.name") == "adam"
    assert trial.params == {}


@pytest.mark.parametrize(
    "spec_range",
    [
        Fixed(3),
        Fixed(False),
        Choice((1, 1.0, True, "1")),
        IntRange(1, 3),
        IntRange(0, 10, 5),
        IntRange(1, 100, 1, True),
        FloatRange(0.0, 0.5),
        FloatRange(0.0, 1.0, 0.25),
        FloatRange(0.0, 10.0, 2),
        FloatRange(1e-4, 1e-2, None, True),
    ],
)
def test_write_range_is_read_as_the_same_range(spec_range: Range) -> None:
    again = parse_range(json.loads(json.dumps(write_range(spec_range))))
    assert again == spec_range
    assert repr(again) == repr(spec_range)  # 1 and 1.0 are equal, and not the same choice
