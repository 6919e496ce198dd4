from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.objectives.measures import Axis
from tunefront.reports.printed_figures.printed_axis import printed_axis
from tunefront.reports.study_results import StudyResults


@pytest.mark.parametrize(
    ("axis", "values", "label", "printed"),
    [
        ("accuracy", [0.5, 0.975], "validation accuracy (%)", 97.5),
        ("memory", [40.0, 99.0], "model file (B)", 99.0),
        ("memory", [99.0, 5e6, math.nan], "model file (B)", math.nan),
        ("memory", [5_000.0, 2_000_000.0], "model file (kB)", 2_000.0),
        ("memory", [100_000.0, 2_000_000.0], "model file (MB)", 2.0),
        ("memory", [3e8, 4e9], "model file (GB)", 4.0),
        ("time", [0.000_02, 0.000_5], "training time (\N{MICRO SIGN}s)", 500.0),
        ("time", [0.004, 0.25], "training time (ms)", 250.0),
        ("time", [0.4, 90.0], "training time (s)", 90.0),
        ("time", [150.0, 900.0], "training time (min)", 15.0),
        ("time", [7200.0, 9000.0], "training time (h)", 2.5),
        ("time", [0.0, 2e-6], "training time (\N{MICRO SIGN}s)", 2.0),
    ],
)
def test_an_axis_has_the_unit_that_people_use(
    results: StudyResults, axis: Axis, values: list[float], label: str, printed: float
) -> None:
    found = printed_axis(results, axis, values)
    assert found.label == label
    assert found.printed(values[-1]) == pytest.approx(printed, nan_ok=True)
    known = [found.printed(value) for value in values if not math.isnan(value)]
    assert found.low < min(known) <= max(known) < found.high


def test_costs_have_a_log_scale_with_ticks_in_the_unit(results: StudyResults) -> None:
    memory = printed_axis(results, "memory", [5_000.0, 2_000_000.0])
    assert memory.is_log
    assert {10.0, 100.0, 1000.0} <= set(memory.ticks)
    assert not printed_axis(results, "time", [0.0, 1.0]).is_log
    assert not printed_axis(results, "accuracy", [0.1, 0.9]).is_log


def test_an_error_has_its_name_and_no_unit(tmp_path: Path) -> None:
    objectives: dict[Axis, dict[str, Any]] = {**THREE, "accuracy": {"measure": "rmse"}}
    fixture = ReportFixture.make(tmp_path, objectives, dataset={"task": "regression"})
    found = printed_axis(fixture.results(), "accuracy", [0.1, 0.2])
    assert (found.label, found.scale, found.is_log) == ("validation RMSE", 1.0, False)
    assert printed_axis(fixture.results(), "accuracy", [0.1, 0.9], "test").is_log
