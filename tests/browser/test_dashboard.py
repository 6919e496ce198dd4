"""The dashboard's pages in a browser: they load, and ask nothing of any other server."""

from __future__ import annotations

import pytest

from tests.browser.window import Windows
from tests.reports.dashboard.test_dashboard import served
from tests.reports.report_fixture import ReportFixture

__all__ = ["served"]


@pytest.mark.server
def test_the_dashboard_shows_a_study_with_its_front(
    windows: Windows, served: tuple[ReportFixture, str, object]
) -> None:
    fixture, url, _ = served
    windows.open(url).get_by_text("digits").first.wait_for()
    page = windows.open(f"{url}dashboard/studies/{fixture.record.study_id}")
    page.locator(".gtitle", has_text="The front").wait_for()
    windows.close()  # before the server ends, or a page would find it gone
