"""General checks of an open page: each returns what is wrong, in words, and an empty list where all is well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_SCRIPT = (Path(__file__).parent / "checks.js").read_text()

# A name that would run a script, load an image, link and be bold if a page took it for markup.
HOSTILE = (
    '<img src=x data-hostile onerror="window.hostile = 1"><script>window.hostile = 1</script>'
    '<a href="https://hostile.invalid/">link</a><b data-hostile>bold</b>'
)


def overlapping_texts(page: Page, selector: str = ".figure") -> list[str]:
    """Return the pairs of visible texts that lie on each other within a figure, by their bounding boxes."""
    return _ask(page, "overlappingTexts", selector)


def cut_texts(page: Page, selector: str = ".figure") -> list[str]:
    """Return the texts of figures that are not wholly inside their figure."""
    return _ask(page, "cutTexts", selector)


def too_wide(page: Page) -> list[str]:
    """Return what is wider than the window and not in a box of its own that scrolls."""
    return _ask(page, "tooWide")


def cut_columns(page: Page) -> list[str]:
    """Open all that is folded, and return what is wider than its own box, so that a column of it is cut."""
    return _ask(page, "cutColumns")


def low_contrasts(page: Page, least: float = 4.5) -> list[str]:
    """Return the visible texts with less contrast to what is below them than `least`, by WCAG's formula."""
    return _ask(page, "lowContrasts", least)


def live_markup(page: Page) -> list[str]:
    """Return where :data:`HOSTILE` became more than text."""
    return _ask(page, "liveMarkup")


def settle(page: Page) -> None:
    """Wait until the page stops changing: its figures are drawn then."""
    _ask(page, "settled")


def _ask(page: Page, function: str, *arguments: Any) -> Any:
    return page.evaluate(f"(given) => {{ {_SCRIPT}\nreturn {function}(...given); }}", list(arguments))
