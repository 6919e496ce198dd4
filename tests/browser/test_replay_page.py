"""The page of a replay in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.page_checks import HOSTILE, cut_texts, live_markup, low_contrasts, overlapping_texts, too_wide
from tests.browser.window import Windows
from tests.reports.replay.test_tables import made, strategy
from tunefront.reports.replay.page import write_replay

STRATEGIES = [strategy("oracle", 0.2), strategy("none", 1.0), strategy("pareto:0.05", 0.4), strategy("pareto:0.5", 0.3)]


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (390, False), (1400, True)])
def test_a_replay_can_be_read_and_shows_markup_in_names_as_text(
    windows: Windows, tmp_path: Path, width: int, dark: bool
) -> None:
    replay = made(*STRATEGIES, strategy(HOSTILE, 0.6), study=f"digits{HOSTILE}")
    page = windows.open(write_replay(replay, tmp_path)[0], width=width, dark=dark)
    assert page.locator(".figure .main-svg").count() > 0
    assert HOSTILE in page.locator("h1").inner_text()
    assert live_markup(page) == []
    assert [*too_wide(page), *overlapping_texts(page), *cut_texts(page), *low_contrasts(page)] == []
