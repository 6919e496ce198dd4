"""A browser for each file of tests, and windows that are checked when a test ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.window import CHROMIUM, Windows, require_chromium
from tests.reports.conftest import _quiet_optuna, fixture, folder, results

__all__ = ["_quiet_optuna", "fixture", "folder", "results"]  # the study of the reports' tests, opened in a browser too


@pytest.fixture(scope="module")
def _browser() -> Iterator[Browser]:
    """The file's browser. It is closed with the file, because playwright keeps an event loop in this thread."""
    expect.set_options(timeout=90_000)  # a busy machine's browser may take longer than the usual 5 seconds
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def windows(request: pytest.FixtureRequest) -> Iterator[Windows]:
    """Windows that open pages; the test fails at its end if something went wrong in one of them."""
    require_chromium(request.node.name)
    windows = Windows(request.getfixturevalue("_browser"))
    yield windows
    windows.close()
    assert windows.problems == []
