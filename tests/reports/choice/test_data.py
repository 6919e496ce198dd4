"""The data by which the page chooses: which models a command never takes, and which limits make it choose files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.choice.data import choice_data
from tunefront.reports.choice.ranges import limit_ranges
from tunefront.reports.selection.options import find_options
from tunefront.reports.verdict.verdict import find_verdict


@pytest.mark.parametrize("is_deployed", [True, False])
def test_data_tells_models_outside_and_limits_of_files(tmp_path: Path, is_deployed: bool) -> None:
    fixture = ReportFixture.make(tmp_path, {**THREE, "memory": {"measure": "litert_bytes", "at_most": 3000}})
    for accuracy, memory, seconds in ((0.9, 2000, 2.0), (0.95, 2500, 4.0), (0.99, 5000, 6.0)):
        fixture.complete(accuracy, memory, seconds, measurements={"litert_bytes": memory})
    options = find_options(fixture.results())
    data = choice_data(options, limit_ranges(options), find_verdict(options), is_deployed=is_deployed)
    assert dict(zip(data["numbers"], data["is_outside"], strict=True)) == {0: False, 1: False, 2: True}
    of_files = {each["name"]: each["is_of_files"] for each in data["ranges"]}
    assert of_files == {"accuracy": False, "memory": is_deployed, "time": False}
