"""The page shows the spec as it was written, and not the thousand defaults that the store adds."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.page.page import written_spec
from tunefront.reports.page.toml_text import toml_text
from tunefront.search.spec.file import read_spec
from tunefront.search.supervisor.notes import note_written_spec

EXAMPLE = Path(__file__).parents[3] / "examples" / "digits.toml"


def test_the_spec_has_the_keys_of_its_file(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    assert written_spec(fixture.results()) == fixture.results().study.spec  # an older study tells all that it has
    note_written_spec(fixture.study, read_spec(EXAMPLE))
    results = fixture.results()
    more = replace(results, study=replace(results.study, spec={**results.study.spec, "trials": 45}))
    shown, file = tomllib.loads(toml_text(written_spec(more))), tomllib.loads(EXAMPLE.read_text())
    assert shown.keys() == file.keys()
    for table in ("seed", "space", "data", "sampler", "pruner"):
        assert shown[table] == file[table]
    assert shown["objectives"]["memory"] == {"measure": file["objectives"]["memory"]}
    assert shown["trials"] == 45  # what may change while the study goes on is as it stands


def test_limits_that_changed_are_those_of_today(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    note_written_spec(fixture.study, read_spec(EXAMPLE))
    changed = replace(fixture.results(), limit_changes=[{"before": "a", "after": "b", "n_finished": 1}])
    assert written_spec(changed)["objectives"] == changed.study.spec["objectives"]


def test_a_study_that_has_trials_is_not_noted(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 1000, 1.0)
    note_written_spec(fixture.study, read_spec(EXAMPLE))
    assert not fixture.results().written_spec
