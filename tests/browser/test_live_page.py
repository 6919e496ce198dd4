"""The dashboard's live page in a browser: it follows its study, and a reader's place in it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.page_checks import HOSTILE, live_markup, low_contrasts, settle, too_wide
from tests.browser.window import Windows
from tests.reports.dashboard.test_dashboard import served
from tests.reports.report_fixture import ReportFixture

__all__ = ["served"]
_PLACE = "[...document.querySelectorAll('section[id]')].filter((each) => each.getBoundingClientRect().top <= 1).at(-1)"


@pytest.mark.server
def test_a_page_shows_a_new_trial_by_itself_and_keeps_what_a_reader_has_opened(
    windows: Windows, served: tuple[ReportFixture, str, object]
) -> None:
    fixture, url, _ = served
    for number in range(20):
        fixture.complete(0.91 + number / 1000, 20 + number, 9.0)  # each on the front, in rows to scroll
    page = windows.open(f"{url}#front", width=900, height=500)
    page.get_by_text("follows the study").wait_for()
    assert page.url == f"{url}study/{fixture.record.study_id}/#front"
    page.get_by_text("22 trials").first.wait_for()  # it may have been loaded before the last of them
    settle(page)
    page.locator("#show-all").click()
    page.locator("#candidates [aria-expanded]:visible").first.click()
    address = page.evaluate("location.href")  # as the page has it: `page.url` may follow later
    assert "#trials=" in address
    opened = page.locator("details").last
    opened.evaluate("(box) => { box.open = true; }")
    page.evaluate("() => scrollTo({ top: 0.6 * document.body.scrollHeight, behavior: 'instant' })")
    before = page.evaluate(f"{_PLACE}.id + ' ' + Math.round({_PLACE}.getBoundingClientRect().top)")
    said = page.locator("[data-live-state]").inner_text()

    fixture.complete(0.97, 50, 5.0)
    page.locator("[data-live-state]").filter(has_not_text=said).wait_for(timeout=90_000)  # it was loaded again
    settle(page)
    assert "23 trials" in page.inner_text("body")
    assert page.locator("details").last.evaluate("(box) => box.open") is True
    assert page.evaluate("location.href") == address
    assert page.locator("#candidates [aria-expanded=true]").count() == 1
    assert page.locator("#show-all").inner_text() == "show fewer"
    place, top = page.evaluate(f"[{_PLACE}.id, {_PLACE}.getBoundingClientRect().top]")
    assert before.split()[0] == place
    assert abs(top - float(before.split()[1])) < 3
    windows.close()  # before the server ends, or the page would find it gone


@pytest.mark.server
def test_the_way_to_optuna_dashboard_leads_back_to_the_same_study(
    windows: Windows, served: tuple[ReportFixture, str, object]
) -> None:
    fixture, url, _ = served
    page = windows.open(url)
    page.get_by_role("link", name="optuna-dashboard").click()
    page.get_by_text("Pareto Front").first.wait_for()
    page.get_by_role("link", name="Back to tunefront's page").click()
    page.get_by_text("follows the study").wait_for()
    assert page.url == f"{url}study/{fixture.record.study_id}/"
    windows.close()


@pytest.mark.server
def test_the_list_of_studies_takes_names_for_text(
    windows: Windows, served: tuple[ReportFixture, str, object], tmp_path: Path
) -> None:
    _, url, _ = served
    ReportFixture.make(tmp_path, name=HOSTILE)
    for width, dark in ((1400, False), (390, True)):
        page = windows.open(url, width=width, dark=dark)
        assert page.get_by_role("listitem").count() == 2
        # The name is a link to the study's page, and that alone.
        assert [found for found in live_markup(page) if not found.endswith("is a link")] == []
        assert page.locator("a[href*=hostile]").count() == 0
        assert (low_contrasts(page), too_wide(page)) == ([], [])
    windows.close()
