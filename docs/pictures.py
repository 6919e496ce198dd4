"""Make the pictures of the documentation: the first screen of the demo's report, as a reader sees it.

`make pictures` searches `examples/digits.toml` anew, in a folder that is removed again. With the path of a report,
`python docs/pictures.py results/digits/report.html`, its first screen is taken. It needs Chromium.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.page_checks import settle
from tests.browser.window import CHROMIUM, REMEDY

ROOT = Path(__file__).parents[1]
SIZE = {"width": 1200, "height": 1230}


def main(arguments: list[str]) -> None:
    """Write `docs/front.png`."""
    if CHROMIUM is None:
        raise SystemExit(f"pictures need Chromium or Chrome. {REMEDY}")
    if arguments:
        take_first_screen(Path(arguments[0]))
        return
    with tempfile.TemporaryDirectory() as folder:
        storage, out = f"sqlite:///{folder}/tunefront.db", f"{folder}/digits"
        command = [sys.executable, "-m", "tunefront", "run", "examples/digits.toml", "--storage", storage, "--out", out]
        subprocess.run(command, cwd=ROOT, check=True)
        take_first_screen(Path(out) / "report.html")


def take_first_screen(report: Path) -> None:
    """Write a picture of the first screen of a report."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        page.goto(report.resolve().as_uri())
        settle(page)
        page.screenshot(path=ROOT / "docs" / "front.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
