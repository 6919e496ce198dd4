"""Rows of the table of candidates open by clicks, by the keyboard and by points of the figure."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.page_checks import settle
from tests.browser.window import Windows, fragment
from tests.reports.made_studies import MadeStudy, make


@pytest.fixture(scope="module")
def typical(tmp_path_factory: pytest.TempPathFactory) -> tuple[MadeStudy, Path]:
    """A study of 30 trials, with the page of its report."""
    study = make("typical", tmp_path_factory.mktemp("typical"))
    return study, study.write()


def test_rows_are_opened_by_clicks_and_keys_and_points_are_ringed(
    windows: Windows, typical: tuple[MadeStudy, Path]
) -> None:
    page = windows.open(typical[1])
    rows = page.locator("#candidates .candidate:visible")
    numbers = [int(rows.nth(position).get_attribute("data-trial") or -1) for position in range(2)]
    rows.nth(0).locator("td").nth(1).click()
    page.locator(f"#trial-{numbers[1]} button.open").focus()
    page.keyboard.press("Enter")
    assert fragment(page) == {"trials": f"{numbers[0]},{numbers[1]}"}
    panel = page.locator(f"#panel-{numbers[1]}")
    expect(panel).to_be_visible()
    settle(page)
    for text in ("accuracy on validation", "learning rate", "Most frequent mistakes", "its log", "load_model"):
        expect(panel).to_contain_text(text)
    assert panel.locator(".figure .main-svg").count() > 0
    rings = "document.getElementById('trade-off').data.find(({meta}) => meta === 'rings').customdata"
    assert set(numbers) <= set(page.evaluate(rings))
    page.keyboard.press("Enter")
    expect(panel).to_be_hidden()
    assert fragment(page) == {"trials": str(numbers[0])}


def test_a_click_on_a_point_opens_its_row(windows: Windows, typical: tuple[MadeStudy, Path]) -> None:
    study, report = typical
    page = windows.open(report)
    # The most accurate model on the front is the highest point, so nothing lies on it.
    number = max(study.fixture.results().front, key=lambda trial: trial.values[0] if trial.values else 0).number
    page.locator("#trade-off").scroll_into_view_if_needed()
    place = page.evaluate(
        """(number) => {
            const figure = document.getElementById("trade-off");
            const { x, y } = placeOf(number);
            const { xaxis, yaxis } = figure._fullLayout;
            const box = figure.querySelector(".nsewdrag").getBoundingClientRect();
            return [box.x + xaxis.d2p(x), box.y + yaxis.d2p(y)];
        }""",
        number,
    )
    page.mouse.move(*place)
    page.mouse.click(*place)
    expect(page.locator(f"#panel-{number}")).to_be_visible()
    assert fragment(page) == {"trials": str(number)}


def test_a_row_between_those_that_show_first_is_opened_with_all_others(windows: Windows, tmp_path: Path) -> None:
    page = windows.open(make("many", tmp_path).write())
    button = page.locator("#show-all")
    label = button.inner_text()
    hidden = page.locator("#candidates .stood-for").first.get_attribute("data-trial")
    page.evaluate(f"show({hidden})")
    expect(button).to_have_text("show fewer")
    expect(button).to_have_attribute("aria-expanded", "true")
    button.click()
    expect(button).to_have_text(label)
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#candidates .stood-for").first).to_be_hidden()
