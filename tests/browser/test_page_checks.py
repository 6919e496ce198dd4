"""The checks of open pages find what they are for: pages by hand, each with a flaw and its flawless neighbour."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.page_checks import HOSTILE, cut_texts, live_markup, low_contrasts, overlapping_texts, too_wide
from tests.browser.window import Windows, require_chromium

_POLICY = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; script-src 'nonce-a'\">"
_FIGURE = '<div class="figure"><svg width="300" height="100">{}</svg></div>'


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    def write(body: str, head: str = "") -> Path:
        page = tmp_path / "page.html"
        page.write_text(f"<!doctype html><html><head>{head}</head><body>{body}</body></html>")
        return page

    return write


@pytest.mark.parametrize(
    ("head", "body", "problem"),
    [
        ("", "<script>console.error('lost')</script>", "console: lost"),
        ("", "<script>nothing.there</script>", "error: nothing is not defined"),
        ("", "<script>setTimeout(() => fetch('http://192.0.2.1/a'))</script>", "request: http://192.0.2.1/a"),
        ("", "<img src='beside.png'>", "/beside.png"),
        (_POLICY, "<script>1</script>", "violates the following Content Security Policy directive"),
    ],
)
def test_a_problem_is_noted_when_a_page_has_it(windows: Windows, write, head, body, problem) -> None:  # type: ignore[no-untyped-def]
    windows.open(write(body, head))
    assert any(problem in noted for noted in windows.problems)
    windows.problems.clear()


def test_nothing_is_noted_of_a_page_that_is_complete(windows: Windows, write) -> None:  # type: ignore[no-untyped-def]
    page = windows.open(write("<p>fine<script nonce=a>window.ran = 1</script>", _POLICY))
    assert page.evaluate("window.ran") == 1


def test_texts_that_lie_on_each_other_are_found(windows: Windows, write) -> None:  # type: ignore[no-untyped-def]
    texts = "<text x=10 y=20>50 s</text><text x=30 y=20>60 s</text><text x=100 y=20>2 min</text>"
    page = windows.open(write(_FIGURE.format(texts + "<text x=12 y=20 visibility=hidden>out of sight</text>")))
    assert overlapping_texts(page) == ['"50 s" lies on "60 s"']


def test_a_text_that_leaves_its_figure_is_found(windows: Windows, write) -> None:  # type: ignore[no-untyped-def]
    texts = "<text x=10 y=20>inside</text><text x=10 y=104>half</text>"
    page = windows.open(write(f"<style>svg {{ overflow: visible }}</style>{_FIGURE.format(texts)}"))
    assert cut_texts(page) == ['"half" leaves its figure']


def test_what_is_wider_than_the_window_is_found(windows: Windows, write) -> None:  # type: ignore[no-untyped-def]
    wide = "<div style='width: 900px'>wide</div>"
    scrolled = f"<div style='overflow-x: auto'>{wide}</div>"
    found = too_wide(windows.open(write(f"{scrolled}<main>{wide}</main>"), width=390))
    assert found == ["the page can be scrolled sideways", 'div "wide" ends at 908, the window at 390']
    assert too_wide(windows.open(write(scrolled), width=390)) == []


def test_texts_that_are_hard_to_read_are_found(windows: Windows, write) -> None:  # type: ignore[no-untyped-def]
    # By WCAG's formula, #767676 on white has 4.54 and #777777 has 4.48.
    page = windows.open(
        write(
            "<style>p { color: #767676 } .pale { color: #777777 } .faded { opacity: 0.5 }</style>"
            "<p>enough<p class=pale>too little<p><button disabled class=pale>disabled</button>"
            "<p class=faded>faded<div style='background: #000'><p style='color: #fff'>white on black</p></div>"
            + _FIGURE.format(
                "<rect width=50 height=40 fill='#00f'></rect><text x=5 y=20 fill='#000'>on blue</text>"
                "<text x=5 y=30 fill='#fff'>white</text><text x=100 y=20 fill='#fff'>on white</text>"
            )
        )
    )
    # Half of #767676 on white is the grey 186.5, with 1.93. Black on #00f has 2.44, white on it 8.59.
    assert low_contrasts(page) == [
        'p.pale "too little" has a contrast of 4.48',
        'p.faded "faded" has a contrast of 1.93',
        'text "on blue" has a contrast of 2.44',
        'text "on white" has a contrast of 1.00',
    ]


def test_markup_that_came_alive_is_found(windows: Windows, write) -> None:  # type: ignore[no-untyped-def]
    escaped = HOSTILE.replace("<", "&lt;")
    assert live_markup(windows.open(write(f"<p>{escaped}</p>"))) == []
    assert live_markup(windows.open(write(f"<p>{HOSTILE}</p>"))) == [
        'img "" is an element',
        'b "bold" is an element',
        'a "link" is a link',
        "a script ran",
    ]
    windows.problems.clear()  # the image that it asked for


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_browser_fails_in_ci_and_skips_by_name_elsewhere(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setattr("tests.browser.window.CHROMIUM", None)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="test_report needs Chromium or Chrome. Install one .*apt-get install chromium"):
        require_chromium("test_report")
