"""The front of a study's results, and the values of each trial."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.reports.report_fixture import MEASURE_NAMES, THREE, ReportFixture
from tunefront.objectives.measures import AXES, Axis
from tunefront.reports.study_results import StudyResults
from tunefront.storage.outcomes import Outcome


def test_front_holds_ties_and_nothing_that_is_beaten_or_breaks_a_limit(results: StudyResults) -> None:
    assert results.front_numbers == {0, 1, 2, 8}


@pytest.mark.parametrize(("accuracy", "memory"), [(0.99, 3001), (0.49, 1)])
def test_limits_hold_for_what_a_person_told_in_the_dashboard(tmp_path: Path, accuracy: float, memory: float) -> None:
    limits = {"accuracy": {"at_least": 0.5}, "memory": {"at_most": 3000}}
    fixture = ReportFixture.make(tmp_path, {axis: {**THREE[axis], **limits.get(axis, {})} for axis in AXES})
    fixture.complete(0.9, 3000, 1.0)
    number = fixture.lease()[0].number
    fixture.study.optuna.tell(number, [accuracy, memory, 0.1])  # `tell` sets no constraint
    found = fixture.results()
    assert (found.trials[number].state, found.trials[number].is_feasible) == ("complete", False)
    assert found.front_numbers == {0}


def test_front_is_sorted_by_accuracy_first_then_costs(results: StudyResults) -> None:
    assert [trial.number for trial in results.front] == [8, 0, 1, 2]


def test_counts_tell_every_state(results: StudyResults) -> None:
    assert results.counts == {
        "complete": 6,
        "pruned": 1,
        "refused": 1,
        "failed": 1,
        "cancelled": 0,
        "running": 1,
        "waiting": 1,
    }


@pytest.mark.parametrize(
    ("number", "accuracy", "memory", "time"),
    [
        (0, "90.00 %", "1 kB", "2 s"),
        (4, "99.00 %", "4 kB", "500 ms"),
        (5, "30.00 %", "900 B", "700 ms"),  # the values up to where it was stopped
        (6, "-", "9 kB", "-"),
        (10, "-", "-", "-"),
    ],
)
def test_values_are_shown_as_far_as_measured(
    results: StudyResults, number: int, accuracy: str, memory: str, time: str
) -> None:
    trial = results.trials[number]
    assert [results.show(trial, axis) for axis in ("accuracy", "memory", "time")] == [accuracy, memory, time]


@pytest.mark.parametrize(("axis", "number"), [("accuracy", 8), ("memory", 2), ("time", 2)])
def test_best_is_of_the_front_when_an_infeasible_trial_is_better(
    results: StudyResults, axis: Axis, number: int
) -> None:
    best = results.best(axis)
    assert best is not None
    assert best.number == number


@pytest.mark.parametrize(
    ("axes", "front"),
    [
        (("accuracy", "memory"), {0, 1, 2}),
        (("accuracy", "time"), {0, 2, 4}),
        (("memory", "time"), {2, 4}),
        (("accuracy",), {0}),
        (("time",), {4}),
    ],
)
def test_front_regards_only_objectives_when_axes_are_left_out(
    tmp_path: Path, axes: tuple[Axis, ...], front: set[int]
) -> None:
    fixture = ReportFixture.make(tmp_path, {axis: THREE[axis] for axis in axes})
    for accuracy, memory, seconds in [(0.9, 10, 5.0), (0.8, 5, 5.5), (0.7, 4, 2.0), (0.6, 9, 4.0), (0.5, 7, 1.0)]:
        fixture.complete(accuracy, memory, seconds)
    found = fixture.results()
    assert found.front_numbers == front
    assert tuple(found.objectives) == axes
    # A measure that is no objective is still reported.
    assert [found.value(found.trials[0], axis) for axis in MEASURE_NAMES] == [0.9, 10, 5.0]


def test_value_is_of_the_objectives_measure_when_it_is_not_the_default(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {"memory": {"measure": "peak_bytes"}})
    fixture.complete(0.9, 10, 5.0, measurements={"peak_bytes": 70.0})
    found = fixture.results()
    assert found.value(found.trials[0], "memory") == 70.0
    assert found.measure("memory").name == "peak_bytes"


def test_front_is_empty_when_nothing_has_run(tmp_path: Path) -> None:
    found = ReportFixture.make(tmp_path).results()
    assert found.front_numbers == frozenset()
    assert found.front == []
    assert found.best("accuracy") is None


def test_value_is_nan_when_it_was_not_measured(results: StudyResults) -> None:
    assert math.isnan(results.value(results.trials[6], "accuracy"))


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["out of memory", "out of memory"], [("out of memory", (0, 1))]),
        (
            ["no space", "shape[32,64] is too large", "shape[8,64] is too large"],
            [("shape[…,…] is too large", (1, 2)), ("no space", (0,))],
        ),
        (
            [
                "epoch 1: even at best (80.83 %, 2.2 MB, 6.8 s) trial 0 dominates it (81.67 %, 108 kB, 1.62 s)",
                "epoch 12: even at best (8.1 %, 900 B, 35 min) trial 3 dominates it (9 %, 1 kB, 120 us)",
            ],
            [("even at best trial … dominates it", (0, 1))],
        ),
        (
            [
                "epoch 3: even at best, accuracy 36.11 % breaks its limit of at least 50.00 %",
                "epoch 4: even at best, accuracy 9 % breaks its limit of at least 50.00 %",
            ],
            [("even at best, accuracy … breaks its limit of at least 50.00 %", (0, 1))],
        ),
        ([""], []),
    ],
)
def test_reasons_are_grouped_when_they_differ_in_numbers_alone(
    tmp_path: Path, reasons: list[str], expected: list[Any]
) -> None:
    fixture = ReportFixture.make(tmp_path)
    for reason in reasons:
        fixture.end(fixture.lease(), Outcome.FAILED, reason=reason)
    assert [(group.text, group.numbers) for group in fixture.results().reasons("failed")] == expected
