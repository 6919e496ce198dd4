"""The conditions of a study's measurements: equal machines are counted together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.reports.report_fixture import MACHINE, ReportFixture
from tunefront.reports.sentences.conditions import machines
from tunefront.storage import studies


@pytest.mark.parametrize(
    ("other", "n_supervisors"),
    [
        ({}, [2]),
        ({"process_started_at": 1_700_000_100.5}, [2]),
        ({"host_name": "bert"}, [1, 1]),
        ({"n_cpus": 4}, [1, 1]),
    ],
)
def test_machines_that_are_alike_are_counted_together(
    tmp_path: Path, other: dict[str, Any], n_supervisors: list[int]
) -> None:
    fixture = ReportFixture.make(tmp_path)
    studies.register_worker(fixture.study, "digits-2", "boot", 2, {**MACHINE, **other})
    assert [machine.n_supervisors for machine in machines(fixture.results())] == n_supervisors
