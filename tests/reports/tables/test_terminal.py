"""The front in a terminal."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.terminal import front_table


def _render(results: StudyResults, width: int) -> str:
    output = io.StringIO()
    Console(file=output, width=width).print(front_table(results))
    return output.getvalue()


def test_rows_stay_on_one_line_when_the_terminal_is_narrow(results: StudyResults) -> None:
    lines = [line.rstrip() for line in _render(results, 80).splitlines()]
    assert lines[0] == "digits: 4 models on the front"
    assert all(len(line) <= 80 for line in lines)
    rows = [line for line in lines if "%" in line]
    assert len(rows) == 4
    assert rows[1].split()[:8] == ["0", "90.00", "%", "1", "kB", "2", "s", "3"]


def test_what_differs_stands_beside_the_row_or_wrapped_below_it(results: StudyResults) -> None:
    wide, narrow = _render(results, 160).splitlines(), _render(results, 50).splitlines()
    (row,) = (line for line in wide if line.split()[:1] == ["2"])
    assert row.split("3   ")[1].rstrip() == "adam, learning rate 0.01, filters 8, batch norm"
    place = next(number for number, line in enumerate(narrow) if line.split()[:1] == ["2"])
    assert narrow[place + 1 : place + 3] == ["    adam, learning rate 0.01, filters 8,", "    batch norm"]
    assert "…" not in "".join(narrow)


def test_a_single_model_has_no_head_of_what_differs(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 10, 4.0, parameters={"optimizer.name": "sgd"})
    assert "what differs" not in _render(fixture.results(), 160)


def test_brackets_are_no_markup(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 10, 4.0, parameters={"optimizer.name": "[red]none"})
    fixture.complete(0.8, 5, 1.0, parameters={"optimizer.name": "sgd"})
    assert "[red]none" in _render(fixture.results(), 120)


def test_caption_says_why_when_the_front_is_empty(tmp_path: Path) -> None:
    assert "No trial has started yet." in _render(ReportFixture.make(tmp_path).results(), 80)
