"""Parallel coordinates in a browser: ranges by keys and by dragging, and what they leave."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page_checks import low_contrasts, overlapping_texts, too_wide
from tests.browser.window import Windows
from tests.reports.made_studies import MadeStudy, make


@pytest.fixture(scope="module")
def typical(tmp_path_factory: pytest.TempPathFactory) -> tuple[MadeStudy, Path]:
    made = make("typical", tmp_path_factory.mktemp("typical"))
    return made, made.write()


def within(page: Page) -> set[int]:
    lines = page.locator("#parallel polyline:not(.out)")
    return {int(line.get_attribute("data-trial") or -1) for line in lines.all()}


def expected(made: MadeStudy, low: float, high: float) -> set[int]:
    """Return the complete trials with an accuracy from `low` to `high`, both as shares of their range."""
    scores = {trial.number: trial.values[0] for trial in made.fixture.results().trials if trial.values}
    least, most = min(scores.values()), max(scores.values())
    ends = [least + share * (most - least) for share in (low, high)]
    return {number for number, score in scores.items() if ends[0] <= score <= ends[1]}


def handle(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name, exact=True)


def test_an_axis_is_narrowed_by_the_keyboard(windows: Windows, typical: tuple[MadeStudy, Path]) -> None:
    made, report = typical
    page = windows.open(report)
    told = page.locator("#parallel-within")
    expect(told).to_be_hidden()
    low = handle(page, "accuracy, from")
    low.focus()
    page.keyboard.press("PageUp")
    for _ in range(7):
        page.keyboard.press("ArrowUp")  # twelve steps of a twentieth
    assert within(page) == expected(made, 0.6, 1.0)
    assert low.get_attribute("aria-valuenow") == "12"
    every = expected(made, 0.0, 1.0)
    expect(told).to_contain_text(f"{len(within(page))} of {len(every)} trials lie within")
    # An end does not pass the other one, and Escape takes the range away.
    handle(page, "accuracy, to").focus()
    page.keyboard.press("Home")
    assert within(page) == expected(made, 0.6, 0.6)
    page.keyboard.press("Escape")
    assert within(page) == every
    expect(told).to_be_hidden()


def test_an_axis_is_narrowed_by_dragging_and_its_trials_are_opened(
    windows: Windows, typical: tuple[MadeStudy, Path]
) -> None:
    made, report = typical
    page = windows.open(report)
    page.locator("#parallel").scroll_into_view_if_needed()
    box = page.locator("#parallel .axis line").nth(7).bounding_box()
    assert box is not None
    page.mouse.move(box["x"], box["y"] + 0.02 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 3, box["y"] + 0.3 * box["height"])
    page.mouse.move(box["x"], box["y"] + 0.5 * box["height"])
    page.mouse.up()
    assert within(page) == expected(made, 0.5, 1.0)
    link = page.locator("#parallel-within a").first
    number = link.get_attribute("data-pins")
    best = max(made.fixture.results().front, key=lambda trial: trial.values[0] if trial.values else 0)
    assert number == str(best.number)
    link.click()
    expect(page.locator(f"#panel-{number}")).to_be_visible()


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (390, True)])
def test_its_texts_lie_on_no_other_and_can_be_read(
    windows: Windows, typical: tuple[MadeStudy, Path], width: int, dark: bool
) -> None:
    page = windows.open(typical[1], width=width, dark=dark)
    assert page.locator("#parallel text").count() > 20
    assert overlapping_texts(page, "#parallel") == []
    assert [*low_contrasts(page), *too_wide(page)] == []
