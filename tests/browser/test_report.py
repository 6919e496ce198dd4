"""The report's page as a reader sees it: complete in itself, and nothing in a name is more than text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.page_checks import HOSTILE, live_markup, too_wide
from tests.browser.window import Windows
from tests.reports.confirmation.confirmation_fixture import LIMITED, confirmation_of, load, parameters, train
from tests.reports.deployment.test_deployed_front import VARIANTS
from tests.reports.report_fixture import DATASET, ReportFixture
from tunefront.reports.class_answers.class_answers import load_front_answers
from tunefront.reports.deployment.deployed_front import find_deployed_front
from tunefront.reports.report_files import write_report
from tunefront.reports.study_results import StudyResults
from tunefront.storage.answers import Answers
from tunefront.storage.outcomes import Outcome

WINDOWS = [(1400, False), (390, False), (1400, True)]


@pytest.fixture(scope="module")
def report(results: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a study with a trial of every kind."""
    return write_report(results, tmp_path_factory.mktemp("report")).report_html


@pytest.fixture(scope="module")
def whole_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a search that was confirmed and deployed, with answers by class, and markup in every name."""
    folder = tmp_path_factory.mktemp("whole")
    names = [f"{number}{HOSTILE}" for number in range(3)]
    searched = ReportFixture.make(folder, LIMITED, dataset={**DATASET, "class_names": names})
    odd = {"optimizer.name": "<b>bold</b>", "cnn.filters": 3, f"cnn.{HOSTILE}": 3}
    candidates = [(0.95, 2000, 2.0), (0.9, 1000, 1.0), (0.8, 500, 0.5), (0.97, 2500, 3.0)]
    for number, values in enumerate(candidates):
        answers = {"validation": Answers([0, 1, 2, 1], [0, 1, 1, number % 2])}
        searched.complete(*values, parameters=odd if number == 3 else parameters(number), answers=answers)
    failed = searched.lease(odd)
    searched.end(failed, Outcome.FAILED, reason=HOSTILE)
    confirmed = confirmation_of(searched)
    for candidate in range(3):
        train(confirmed, candidate, [0.93 - candidate / 50, 0.92], 2000 - 700 * candidate, 2.0, start=candidate)
    found = searched.results()
    answers_by_class = load_front_answers(searched.study, found)
    deployed = find_deployed_front(VARIANTS, None)
    return write_report(found, folder / "out", load(searched), answers_by_class, deployed).report_html


@pytest.mark.parametrize(("width", "dark"), WINDOWS)
def test_a_report_is_complete_and_fits_its_window(windows: Windows, report: Path, width: int, dark: bool) -> None:
    page = windows.open(report, width=width, dark=dark)
    assert page.locator(".figure:visible").count() == page.locator(".figure:visible:has(.main-svg)").count() > 2
    assert too_wide(page) == []


@pytest.mark.parametrize(("width", "dark"), WINDOWS)
def test_a_report_of_everything_is_complete_and_shows_markup_in_names_as_text(
    windows: Windows, whole_report: Path, width: int, dark: bool
) -> None:
    page = windows.open(whole_report, width=width, dark=dark)
    assert page.locator(".figure:visible").count() == page.locator(".figure:visible:has(.main-svg)").count() > 6
    assert "<b data-hostile>bold</b>" in page.locator("body").inner_text()
    assert live_markup(page) == []
    assert too_wide(page) == []
