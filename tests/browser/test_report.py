"""The report's page as a reader sees it: complete in itself, and nothing in a name is more than text."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from plotly.offline import get_plotlyjs, get_plotlyjs_version

from tests.browser.page_checks import (
    HOSTILE,
    cut_texts,
    live_markup,
    low_contrasts,
    overlapping_texts,
    too_wide,
)
from tests.browser.window import Windows
from tests.reports.confirmation.confirmation_fixture import LIMITED, confirmation_of, load, parameters, train
from tests.reports.deployment.test_deployed_front import VARIANTS
from tests.reports.report_fixture import DATASET, ReportFixture
from tunefront.reports.class_answers.class_answers import load_front_answers
from tunefront.reports.deployment.deployed_front import find_deployed_front
from tunefront.reports.figures.plotly_script import PlotlyScript, plotly_script
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


def _flaws(page: Page) -> list[str]:
    return [*too_wide(page), *overlapping_texts(page), *cut_texts(page), *low_contrasts(page)]


@pytest.mark.parametrize(("width", "dark"), WINDOWS)
def test_a_report_can_be_read_wherever_it_is_opened(windows: Windows, report: Path, width: int, dark: bool) -> None:
    page = windows.open(report, width=width, dark=dark)
    assert page.locator(".figure:visible").count() == page.locator(".figure:visible:has(.main-svg)").count() > 2
    assert _flaws(page) == []


@pytest.mark.parametrize(("width", "dark"), WINDOWS)
def test_a_report_of_everything_can_be_read_and_shows_markup_in_names_as_text(
    windows: Windows, whole_report: Path, width: int, dark: bool
) -> None:
    page = windows.open(whole_report, width=width, dark=dark)
    assert page.locator(".figure:visible").count() == page.locator(".figure:visible:has(.main-svg)").count() > 6
    assert "<b data-hostile>bold</b>" in page.locator("body").inner_text()
    assert live_markup(page) == []
    assert _flaws(page) == []


@pytest.mark.parametrize("width", [1400, 390])
def test_buttons_of_a_figure_lie_on_no_text(windows: Windows, whole_report: Path, width: int) -> None:
    page = windows.open(whole_report, width=width)
    found = []
    for figure in page.locator(".figure:visible").all():
        figure.hover()
        page.wait_for_timeout(350)  # the buttons fade in
        found += overlapping_texts(page)
    assert found == []


def test_stopped_trials_are_hidden_until_a_reader_asks_for_them(windows: Windows, report: Path) -> None:
    page = windows.open(report)
    figure = page.locator('.figure[data-figure="memory-accuracy"]').first
    traces = figure.locator(".scatterlayer .trace")
    n_shown = traces.count()
    figure.locator(".traces", has_text="stopped early (1)").locator(".legendtoggle").click()
    expect(traces).to_have_count(n_shown + 1)


def test_the_small_bundle_draws_what_plotlys_own_draws(windows: Windows, whole_report: Path, tmp_path: Path) -> None:
    assert plotly_script().notice.startswith(f"plotly.js (basic - minified) v{get_plotlyjs_version()}. Copyright")
    small = whole_report.read_text()
    whole = tmp_path / "whole.html"
    assert plotly_script().packed in small
    whole.write_text(small.replace(plotly_script().packed, PlotlyScript(get_plotlyjs()).packed))
    drawings = [_drawings(windows.open(path)) for path in (whole_report, whole)]
    assert len(drawings[0]) > 6
    assert drawings[0] == drawings[1]


def _drawings(page: Page) -> list[list[str]]:
    """Return what each figure draws: its lines, shapes and texts, where they are and how they look."""
    return page.locator(".figure .main-svg").evaluate_all("""(drawings) => drawings.map((drawing) =>
      [...drawing.querySelectorAll("path, text, rect, circle")].map((drawn) => {
        const { left, top, width, height } = drawn.getBoundingClientRect();
        const { d, style, transform } = drawn.attributes;
        const look = [d, style, transform].map((attribute) => attribute?.value);
        return JSON.stringify([drawn.tagName, left, top, width, height, drawn.textContent, ...look]);
      }).filter((drawn) => !drawn.includes("url(")))""")
