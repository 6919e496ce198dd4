"""A model is chosen on the page: by ranges, and by the keyboard; and what is set stands in the address."""

from __future__ import annotations

import random
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.page_checks import cut_columns, low_contrasts, settle, too_wide
from tests.browser.window import Windows, fragment
from tests.reports.deployment.test_deployed_front import VARIANTS
from tests.reports.made_studies import MadeStudy, make
from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.choice.ranges import LimitRange, limit_ranges
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.reports.deployment.deployed_front import find_deployed_front
from tunefront.reports.report_files import write_report
from tunefront.reports.selection.limits import Limit, read_limit
from tunefront.reports.selection.options import Options, find_options
from tunefront.reports.selection.selection import choose

NAMES = ("typical", "confirmed", "nothing_fits", "two_objectives")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[MadeStudy, Path]]:
    """Studies by name, with the pages of their reports."""
    studies = {name: make(name, tmp_path_factory.mktemp(name)) for name in NAMES}
    return {name: (study, study.write()) for name, study in studies.items()}


def options_of(study: MadeStudy) -> Options:
    results = study.fixture.results()
    return find_options(results, load_confirmation(study.fixture.store, results))


def python_choice(options: Options, ranges: Sequence[LimitRange], positions: Sequence[int]) -> int | None:
    """Return the number of the model that Python chooses with each range at the stop of that position."""
    stops = [each.stops[position] for each, position in zip(ranges, positions, strict=True)]
    limits = [
        Limit(each.name, each.measure, stop.value, each.is_upper)
        for each, stop in zip(ranges, stops, strict=True)
        if stop.value is not None
    ]
    selection = choose(options, limits)
    return selection.option.number if selection else None


@pytest.mark.parametrize("name", ["typical", "confirmed"])
def test_the_page_chooses_as_python_does(windows: Windows, made: dict[str, tuple[MadeStudy, Path]], name: str) -> None:
    study, report = made[name]
    options = options_of(study)
    ranges = limit_ranges(options)
    draws = random.Random(0)
    start = [each.start for each in ranges]
    tried = [[*start[:i], stop, *start[i + 1 :]] for i, each in enumerate(ranges) for stop in range(len(each.stops))]
    tried += [[draws.randrange(len(each.stops)) for each in ranges] for _ in range(150)]
    chosen = windows.open(report).evaluate(
        """(tried) => tried.map((positions) => {
            const limits = choice.columns.map(() => null);
            positions.forEach((position, k) => {
                limits[choice.ranges[k].column] = choice.ranges[k].stops[position][0];
            });
            const best = choose(limits);
            return best === null || best === undefined ? null : choice.numbers[best];
        })""",
        tried,
    )
    assert chosen == [python_choice(options, ranges, positions) for positions in tried]
    assert len(set(chosen)) > 5
    assert None in chosen


def test_a_range_is_moved_by_the_keyboard_and_stands_in_the_address(
    windows: Windows, made: dict[str, tuple[MadeStudy, Path]]
) -> None:
    study, report = made["typical"]
    ranges = limit_ranges(options_of(study))
    memory = next(position for position, each in enumerate(ranges) if each.name == "memory")
    page = windows.open(report)
    assert page.locator("#candidates .faded").count() == 0
    page.get_by_role("slider", name="memory at most").focus()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    stop = ranges[memory].stops[len(ranges[memory].stops) - 7]
    expect(page.locator(".ranges output").nth(memory)).to_have_text(stop.text)
    number = python_choice(options_of(study), ranges, [*(each.start for each in ranges[:memory]),
                           len(ranges[memory].stops) - 7, *(each.start for each in ranges[memory + 1 :])])  # fmt: skip
    line = page.locator("#best p").first
    expect(line).to_contain_text(f"Choice within your limits: trial {number}")
    expect(page).to_have_url(re.compile(rf"#memory={stop.value:.0f}$"))
    outside = page.locator("#candidates .faded").count()
    assert 0 < outside < page.locator("#candidates .candidate").count()
    # A new window at that address shows the same.
    again = windows.open(page.url)
    expect(again.locator("#best p").first).to_have_text(line.inner_text())
    assert again.locator("#candidates .faded").count() == outside
    again.get_by_role("button", name="Reset", exact=True).click()
    expect(again.locator("#best p").first).to_contain_text("Choice within the study's limits")
    assert fragment(again) == {}


def test_points_that_a_confirmation_lacks_fade_too(windows: Windows, made: dict[str, tuple[MadeStudy, Path]]) -> None:
    study, report = made["confirmed"]
    options = options_of(study)
    memory = next(each for each in limit_ranges(options) if each.name == "memory")
    limit = memory.stops[len(memory.stops) // 2].value
    assert limit is not None
    page = windows.open(f"{report.as_uri()}#memory={limit}&axes=memory-accuracy")
    found = page.evaluate(
        """() => document.getElementById("trade-off").data
            .filter(({ meta }) => meta === "complete")
            .map(({ customdata, selectedpoints }) => [customdata, selectedpoints.map((place) => customdata[place])])"""
    )
    results = study.fixture.results()
    means = {option.number: option.value("model_bytes") for option in [*options.members, *options.outside]}
    by_number = {trial.number: means.get(trial.number, results.value(trial, "memory")) for trial in results.trials}
    assert found
    for drawn, inside in found:
        assert inside == [number for number in drawn if by_number[number] <= limit]
        assert 0 < len(inside) < len(drawn)


def test_a_limit_of_a_deployed_file_copies_no_command(windows: Windows, tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {**THREE, "memory": {"measure": "litert_bytes"}})
    for accuracy, memory, seconds in ((0.9, 2000, 2.0), (0.95, 2500, 4.0), (0.99, 5000, 6.0)):
        fixture.complete(accuracy, memory, seconds, measurements={"litert_bytes": memory})
    deployed = find_deployed_front(VARIANTS, None)
    page = windows.open(write_report(fixture.results(), tmp_path / "out", deployed=deployed).report_html)
    command = page.get_by_role("button", name="Copy the command")
    expect(command).to_be_enabled()
    page.get_by_role("slider", name="time at most").focus()
    page.keyboard.press("ArrowLeft")
    expect(command).to_be_enabled()
    page.get_by_role("slider", name="memory at most").focus()
    page.keyboard.press("ArrowLeft")
    expect(command).to_be_disabled()
    line = page.locator("#best p").first
    expect(line).to_contain_text("With such a limit, the command chooses among the files that were deployed.")
    page.keyboard.press("End")
    expect(command).to_be_enabled()


def test_a_command_is_copied_or_shown_where_the_clipboard_is_closed(
    windows: Windows, made: dict[str, tuple[MadeStudy, Path]]
) -> None:
    study, report = made["typical"]
    ranges = limit_ranges(options_of(study))
    time = next(each for each in ranges if each.name == "time")
    page = windows.open(f"{report.as_uri()}#time={time.stops[4].value}")
    command = f"tunefront select digits --at-most time={time.stops[4].text.replace(' ', '')}"
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    button = page.locator("[data-copies=best-command]")  # its words change, and change back after a while
    button.click()
    assert page.evaluate("window.copied") == command
    page.evaluate(
        """() => {
            navigator.clipboard.writeText = async () => { throw new Error("closed"); };
            document.execCommand = () => false;
        }"""
    )
    button.click()
    by_hand = page.locator("#by-hand")
    expect(by_hand).to_be_visible()
    expect(by_hand).to_have_value(command)
    assert page.evaluate("String(window.getSelection()) || document.activeElement.id") in (command, "by-hand")
    page.locator("#best button[data-copies=best-code]").click()
    assert re.search(r"load_model\(\"models/trial-\d+\.keras\"\)", by_hand.input_value())


COMMANDS = """(tried) => tried.map((positions) => {
    positions.forEach((position, k) => { ranges[k].value = position; });
    applyRanges();
    const button = document.querySelector("[data-copies=best-command]");
    return [bestNumber(), button.disabled ? "" : bestCommand(), document.querySelector("#best p").textContent];
})"""


@pytest.mark.parametrize("name", ["nothing_fits", "two_objectives"])
def test_a_copied_command_chooses_what_the_page_names(
    windows: Windows, made: dict[str, tuple[MadeStudy, Path]], name: str
) -> None:
    study, report = made[name]
    options = options_of(study)
    ranges = limit_ranges(options)
    draws = random.Random(1)
    tried = [[draws.randrange(len(each.stops)) for each in ranges] for _ in range(40)]
    tried += [[each.start for each in ranges]]
    outside = {option.number for option in options.outside}
    n_copied = n_outside = 0
    for number, command, line in windows.open(report).evaluate(COMMANDS, tried):
        if command:
            words = shlex.split(command)[3:]
            limits = [
                read_limit(text, options, is_upper=option == "--at-most")
                for option, text in zip(words[::2], words[1::2], strict=True)
            ]
            selection = choose(options, limits)
            assert selection is not None
            assert selection.option.number == number
            n_copied += 1
        elif number in outside:
            assert line.endswith(
                "breaks the study's own limit: change it in the spec and run again, which trains nothing anew."
            )
            n_outside += 1
    assert n_outside > 0
    assert (n_copied > 0) == (name == "two_objectives")


def test_where_nothing_keeps_the_limits_they_can_be_loosened(
    windows: Windows, made: dict[str, tuple[MadeStudy, Path]]
) -> None:
    study, report = made["nothing_fits"]
    memory = next(each for each in limit_ranges(options_of(study)) if each.name == "memory")
    page = windows.open(report)
    line = page.locator("#best p").first
    stop = memory.stops[memory.start + 1].text
    expect(line).to_have_text(f"Nothing keeps all of these limits. Loosen memory to at most {stop} (now 20 kB).")
    # Nothing is pale where everything would be, and the nearest one leads: linked, ringed and first in the table.
    expect(page.locator("#candidates .faded")).to_have_count(0)
    nearest = min(options_of(study).outside, key=lambda option: option.value("model_bytes")).number
    expect(page.locator("#verdict a[data-pins]")).to_have_text(f"trial {nearest}")
    expect(page.locator("#candidates .candidate").first).to_have_attribute("data-trial", str(nearest))
    assert page.evaluate(
        """() => document.getElementById("trade-off").data.flatMap(({ meta, customdata, selectedpoints }) => (
            meta === "rings" ? customdata : selectedpoints ?? []))"""
    ) == [nearest]
    expect(page.locator("#front")).not_to_contain_text("at least as good")
    page.get_by_role("slider", name="memory at most").focus()
    page.keyboard.press("ArrowRight")
    expect(line).to_contain_text("Choice within your limits: trial")
    page.get_by_role("slider", name="memory at most").focus()
    page.keyboard.press("End")
    expect(page.locator("#candidates .faded")).to_have_count(0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("width", "dark"), [(1400, False), (390, True)])
def test_a_page_fits_its_window_and_can_be_read(
    windows: Windows, made: dict[str, tuple[MadeStudy, Path]], name: str, width: int, dark: bool
) -> None:
    page = windows.open(made[name][1], width=width, dark=dark)
    page.locator("#candidates .candidate:visible button.open").first.click()
    settle(page)
    assert too_wide(page) == []
    # Texts of figures are tested with them.
    assert [found for found in low_contrasts(page) if not found.startswith("text ")] == []


def test_no_column_is_cut_on_a_screen(windows: Windows, made: dict[str, tuple[MadeStudy, Path]]) -> None:
    assert cut_columns(windows.open(made["confirmed"][1])) == []


def test_a_page_fits_on_landscape_paper(windows: Windows, made: dict[str, tuple[MadeStudy, Path]]) -> None:
    # 255 mm of Letter between margins of 12 mm are 964 pixels of 1/96 inch; A4 has 1032.
    page = windows.open(made["confirmed"][1], width=964)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    settle(page)
    assert too_wide(page) == []
    assert cut_columns(page) == []
    hidden = page.locator("#candidates .candidate:not(.beyond)").filter(visible=False)
    assert hidden.count() == 0  # on paper all rows are there
    assert page.locator("#measuring dl, #spec pre").filter(visible=False).count() == 0  # and all parts
    # A drawing wider than its place would be cut.
    assert (
        page.evaluate(
            """() => [...document.querySelectorAll(".figure")].filter((each) => each.offsetWidth && each.data
            && each.querySelector(".main-svg").getBoundingClientRect().right > each.getBoundingClientRect().right + 1)
            .map((each) => each.dataset.figure)"""
        )
        == []
    )
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    expect(page.locator("#spec pre")).to_be_hidden()


def test_a_head_that_paper_repeats_keeps_its_words(
    windows: Windows, made: dict[str, tuple[MadeStudy, Path]], tmp_path: Path
) -> None:
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext reads the page's PDF. Install it (Debian: apt-get install poppler-utils)")
    printed = tmp_path / "page.pdf"
    windows.open(made["typical"][1]).pdf(path=printed, prefer_css_page_size=True)
    text = subprocess.run([reader, "-layout", printed, "-"], capture_output=True, text=True, check=True).stdout
    heads = [line for sheet in text.split("\f") for line in sheet.splitlines() if line.endswith("what differs")]
    assert len(heads) > 1
    assert [head for head in heads if not re.match(r"\s*trial\s+accuracy ", head)] == []
