"""Reports of studies of every kind, read from top to bottom on a desk and on a phone, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.page_checks import cut_texts, live_markup, low_contrasts, overlapping_texts, settle, too_wide
from tests.browser.window import Windows
from tests.reports.made_studies import STUDIES, make

pytestmark = pytest.mark.exhaustive  # a minute and a half, for what test_report.py and test_choice.py try on some


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: make(name, tmp_path_factory.mktemp(name)).write() for name in STUDIES}


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1400, 1200, 390])
@pytest.mark.parametrize("name", STUDIES)
def test_a_page_can_be_read(windows: Windows, reports: dict[str, Path], name: str, width: int, is_dark: bool) -> None:
    page = windows.open(reports[name], width=width, dark=is_dark)
    for top in range(0, page.evaluate("document.body.scrollHeight"), 800):  # figures are drawn as they come near
        page.evaluate("(top) => scrollTo(0, top)", top)
    settle(page)
    for check in (overlapping_texts, cut_texts, too_wide, low_contrasts, live_markup):
        assert check(page) == [], check.__name__
