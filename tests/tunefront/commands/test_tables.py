"""The commands `table` and `compare`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.reports.report_fixture import ReportFixture

Run = Callable[..., tuple[int, str, str]]


def test_a_table_for_a_paper(run: Run, tmp_path: Path, study: ReportFixture) -> None:
    code, output, _ = run("table", "digits", "--rows", "optimizer", "--show", "accuracy,model_bytes")
    assert code == 0
    assert "| adam | 95.00 % | 80 kB |" in output
    code, output, _ = run("table", "digits", "--rows", "optimizer", "--format", "latex", "--out", "tables/front.tex")
    assert (code, output) == (0, "wrote tables/front.tex\n")
    assert r"95.00 \%" in (tmp_path / "tables" / "front.tex").read_text()
    code, output, _ = run("table", "digits", "--rows", "optimizer", "--format", "csv")
    assert output.splitlines()[1] == "adam,0.95,80000.0,8.0"
    code, _, errors = run("table", "digits", "--rows", "nothing")
    assert code == 2
    assert "has no parameter 'nothing'" in errors


def test_two_studies(run: Run, tmp_path: Path, study: ReportFixture) -> None:
    other = ReportFixture.make(tmp_path, name="other")
    other.complete(0.96, 70_000, 7.0)
    code, output, _ = run("compare", "digits", "other", "--out", "both.csv")
    assert code == 0
    assert "digits: 1 of 2 models of its front are on the common front." in output
    assert "other 0" in output
    assert (tmp_path / "both.csv").read_text().count("\n") == 4
    found = json.loads(run("compare", "digits", "other", "--json")[1])
    assert [model["beaten_by"] for model in found["models"]] == [None, 0, None]
    code, _, errors = run("compare", "digits", "digits")
    assert code == 2
    assert "named twice" in errors
