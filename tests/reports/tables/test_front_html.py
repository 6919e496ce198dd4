from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.front_html import front_html
from tunefront.reports.tables.markdown import front_markdown


def test_its_cells_are_those_of_the_markdown(results: StudyResults) -> None:
    rows = [re.findall("<td>(.*?)</td>", row) for row in re.findall("<tr>(.*?)</tr>", front_html(results))][1:]
    lines = [line for line in front_markdown(results).splitlines() if re.match(r"\| \d", line)]
    plain = [[cell.strip().replace("\\", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert len(rows) == 4
    assert [[re.sub("&lt;", "<", re.sub("&gt;", ">", cell)) for cell in row] for row in rows] == plain


def test_names_are_escaped_and_an_unfinished_study_says_so(results: StudyResults) -> None:
    shown = front_html(results)
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "This study is under way: 7 of 30 trials are finished" in shown


@pytest.mark.parametrize(
    ("is_refused", "text"), [(False, "No trial has started yet."), (True, "No complete trial keeps")]
)
def test_an_empty_front_says_why(tmp_path: Path, is_refused: bool, text: str) -> None:
    limit = {"measure": "model_bytes", "at_least": None, "at_most": 10}
    fixture = ReportFixture.make(tmp_path, {"accuracy": {"measure": "accuracy"}, "memory": limit})
    if is_refused:
        fixture.complete(0.9, 1000, 1.0)
    shown = front_html(fixture.results())
    assert text in shown
    assert "<table" not in shown
