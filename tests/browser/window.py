"""Pages in a real browser that are watched while they are open."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.browser.page_checks import settle

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
REMEDY = "Install one (Debian: apt-get install chromium)"


def require_chromium(test_name: str) -> str:
    """Return the path of a browser. Without one the test is skipped by its name, and in CI it fails."""
    if CHROMIUM is not None:
        return CHROMIUM
    missing = f"{test_name} needs Chromium or Chrome. {REMEDY}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


@dataclass
class Windows:
    """Windows of one browser, and what went wrong in them.

    Attributes:
        problems: Errors on the console, among them what a content security policy blocked, errors that a script did
            not catch, and requests for anything but the page itself or, of a served page, its own server.
    """

    browser: Browser
    problems: list[str] = field(default_factory=list)

    def open(self, target: Path | str, *, width: int = 1400, height: int = 900, dark: bool = False) -> Page:
        """Open a file or an address in a window of its own, and wait until it stops changing."""
        address = target.resolve().as_uri() if isinstance(target, Path) else target
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        context.set_default_timeout(90_000)
        page = context.new_page()
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", lambda request: self._note_request(request, address))
        page.goto(address)
        settle(page)
        return page

    def close(self) -> None:
        for context in self.browser.contexts:
            context.close()

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _note_request(self, request: Request, address: str) -> None:
        asked, own = urlsplit(request.url), urlsplit(address)
        is_own = asked.netloc == own.netloc and (own.scheme != "file" or asked.path == own.path)
        if asked.scheme not in ("data", "blob") and not (asked.scheme == own.scheme and is_own):
            self.problems.append(f"request: {request.url}")


def fragment(page: Page) -> dict[str, str]:
    """Return what stands behind # in the page's address, as the page has it: `page.url` may follow later."""
    return {name: values[0] for name, values in parse_qs(page.evaluate("location.hash").removeprefix("#")).items()}
