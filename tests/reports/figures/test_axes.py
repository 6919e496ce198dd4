"""Axes: their ends, and ticks with room between their labels."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES
from tunefront.objectives.quantities import Unit
from tunefront.reports.figures.axes import log_ticks, measure_axis

MEMORY, TIME, ACCURACY = MEASURES["model_bytes"], MEASURES["train_seconds"], MEASURES["accuracy"]


@pytest.mark.parametrize(
    ("low", "high", "unit", "between"),
    [
        (3e3, 9e5, "bytes", [3e3, 1e4, 3e4, 1e5, 3e5]),
        (1.2e6, 4.1e6, "bytes", [1.5e6, 2e6, 3e6, 4e6]),
        (3e3, 9e6, "bytes", [1e4, 1e5, 1e6]),
        (3e3, 9e8, "bytes", [1e4, 1e5, 1e6, 1e7, 1e8]),
        (2.0, 4000.0, "seconds", [10, 60, 600, 3600]),
        (0.001, 0.004, "seconds", [0.001, 0.0015, 0.002, 0.003, 0.004]),
        (20e3, 25e3, "bytes", [20e3, 21e3, 22e3, 23e3, 24e3, 25e3]),
        (50.0, 70.0, "seconds", [50, 55, 60]),
    ],
)
def test_ticks_are_round_and_have_room(low: float, high: float, unit: Unit, between: list[float]) -> None:
    ticks = log_ticks(low, high, unit)
    assert [tick for tick in ticks if low <= tick <= high] == pytest.approx(between)
    assert ticks[0] <= low
    assert ticks[-1] >= high
    gaps = [math.log10(right / left) / math.log10(high / low) for left, right in pairwise(ticks)]
    assert min(gaps) > 0.16  # of the axis


def test_ticks_carry_units() -> None:
    memory = measure_axis(MEMORY, "memory", [3e3, math.nan, 9e5])
    assert {"10 kB", "100 kB", "1 MB"} <= set(memory["ticktext"])
    time = measure_axis(TIME, "time", [2.0, 4000.0])
    assert {"10 s", "60 s", "10 min", "60 min"} <= set(time["ticktext"])


@pytest.mark.parametrize(
    ("values", "limits", "low", "high"),
    [
        ([0.7, 0.9], {}, 0.7, 0.9),
        ([0.3, 0.7, 0.9], {"at_least": 0.5}, 0.5, 0.9),  # from the limit up
        ([0.7, 0.9], {"at_least": 0.5}, 0.7, 0.9),  # which nothing breaks
        ([0.3, 0.4], {"at_least": 0.5}, 0.3, 0.5),  # nothing keeps it: how far away is it?
        ([0.3, 0.7, 0.9], {"at_most": 0.5}, 0.3, 0.5),
        ([0.3, 0.6, 0.9], {"at_least": 0.5, "at_most": 0.8}, 0.5, 0.8),
    ],
)
def test_an_axis_ends_at_broken_limits_with_a_margin(
    values: list[float], limits: dict[str, float], low: float, high: float
) -> None:
    margin = 0.09 * (high - low)
    axis = measure_axis(ACCURACY, "accuracy", values, Objective(ACCURACY, **limits))
    assert axis["range"] == pytest.approx([low - margin, high + margin])


def test_a_single_value_has_room_on_both_sides() -> None:
    assert measure_axis(ACCURACY, "accuracy", [1.0])["range"] == pytest.approx([1 - 0.0018, 1.0018])
    low, high = measure_axis(MEMORY, "memory", [1000.0])["range"]
    assert (10**low, 10**high) == (pytest.approx(1000 / 10**0.27), pytest.approx(1000 * 10**0.27))
    assert measure_axis(TIME, "time", [0.0])["range"] == pytest.approx([-0.09, 0.09])
    assert "range" not in measure_axis(TIME, "time", [math.nan])
