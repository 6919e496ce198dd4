"""The ranges of the page: every stop can be written in a command, and lets in the model that it was made for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.objectives.measures import MEASURES
from tunefront.objectives.quantities import parse_quantity
from tunefront.reports.choice.ranges import limit_ranges, written_limit
from tunefront.reports.selection.options import find_options


@pytest.mark.parametrize(
    ("measure", "value", "expected"),
    [
        ("model_bytes", 83_912.0, "84 kB"),
        ("model_bytes", 83_900.0, "83.9 kB"),
        ("train_seconds", 0.21434, "215 ms"),
        ("train_seconds", 127.3, "2.13 min"),
        ("latency_seconds", 41.2e-6, "41.2 µs"),
        ("accuracy", 0.972145, "97.21 %"),
        ("rmse", 5.70049, "5.703"),
    ],
)
def test_a_limit_is_written_in_few_digits_and_kept_by_the_value(measure: str, value: float, expected: str) -> None:
    is_upper = measure != "accuracy"
    stop = written_limit(value, MEASURES[measure], is_upper=is_upper)
    assert stop.text == expected
    assert stop.value == parse_quantity(expected, MEASURES[measure].unit)
    assert (stop.value >= value) if is_upper else (stop.value <= value)


def test_a_range_starts_at_the_studys_limit_and_goes_beyond_it(tmp_path: Path) -> None:
    limited = {**THREE, "memory": {"measure": "model_bytes", "at_most": 3000}}
    fixture = ReportFixture.make(tmp_path, limited)
    for values in ((0.9, 2000, 2.0), (0.95, 2500, 2.0), (0.99, 5000, 2.0)):
        fixture.complete(*values)
    accuracy, memory = limit_ranges(find_options(fixture.results()))[:2]
    assert (accuracy.name, [stop.text for stop in accuracy.stops], accuracy.start) == (
        "accuracy",
        ["any", "90.00 %", "95.00 %", "99.00 %"],
        0,
    )
    assert ([stop.text for stop in memory.stops], memory.start) == (["2 kB", "2.5 kB", "3 kB", "5 kB", "any"], 2)
