"""The page stays small: of very many trials it draws and lists as many as can be seen, and says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports.made_studies import make
from tunefront.reports.importance.importance import find_importance
from tunefront.reports.page.page import render_page
from tunefront.reports.study_results import StudyResults


@pytest.fixture
def many(results: StudyResults) -> StudyResults:
    """The study with 10 000 trials more, all at different points and all beaten by trial 0."""
    beaten = next(trial for trial in results.trials if trial.number == 3)
    more = [
        replace(beaten, number=number, values=(0.85 - number // 100 / 1000, 2000.0 + number % 100, 3.0))
        for number in range(11, 10_011)
    ]
    return replace(results, trials=[*results.trials, *more])


def test_the_page_of_thirty_trials_is_below_a_megabyte_and_a_half(tmp_path: Path) -> None:
    assert make("confirmed", tmp_path).write().stat().st_size < 1_500_000


def test_the_page_of_ten_thousand_trials_is_below_ten_megabytes_and_tells_what_it_leaves_out(
    results: StudyResults, many: StudyResults, tmp_path: Path
) -> None:
    page = render_page(many, tmp_path, importance=find_importance(results))
    assert len(page.encode()) < 3_000_000  # a front of hundreds may take as much again
    assert "of 10001 drawn)" in page
    assert "<summary>1000 of 10011 trials</summary>" in page
    assert page.count('<tr id="all-') == 1000
    assert all(f'<tr id="all-{number}"' in page for number in (0, 1, 2, 8, 10_010))  # the front, and the latest
