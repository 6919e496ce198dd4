"""The conditions of a study's measurements: equal machines are counted together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.reports.report_fixture import MACHINE, ReportFixture
from tunefront.reports.sentences.conditions import describe_niced, machines
from tunefront.reports.sentences.notes import notes
from tunefront.storage import studies
from tunefront.storage.database import schema


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


def test_trials_that_ran_behind_other_programs_are_counted(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 10, 1.0)
    assert describe_niced(fixture.results()) == ""
    studies.register_worker(fixture.study, "niced", "boot", 2, {**MACHINE, "niceness": 15})
    assert describe_niced(fixture.results()) == ""  # it has run nothing
    with fixture.study.store.engine.begin() as connection:
        connection.execute(schema.attempts.update().values(worker_id="niced"))
    fixture.complete(0.8, 5, 0.5)
    (said,) = (note for note in notes(fixture.results()) if "nice" in note)
    assert said.startswith("1 of 2 complete trials trained at nice 15, behind all other programs of the machine")
