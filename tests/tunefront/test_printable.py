from __future__ import annotations

import pytest

from tunefront.printable import in_lines, on_one_line, printable, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, with a\nline break and\ta tab", "plain, with a\nline break and\ta tab"),
        ("красный 赤 é 👩‍🔬", "красный 赤 é 👩‍🔬"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),  # an escape sequence in one character
        ("over\rwritten\b\b", "over\\rwritten\\x08\\x08"),
        ("right\u202eleft\u2066", "right\\u202eleft\\u2066"),
        ("half\ud800", "half\\ud800"),
        ("line\u2028break", "line\\u2028break"),
    ],
)
def test_printable_leaves_nothing_that_a_terminal_obeys(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_on_one_line_has_no_line_break() -> None:
    assert on_one_line("a\nb\tc\x1b") == "a\\nb\\tc\\x1b"


@pytest.mark.parametrize("value", ["x" * 10**7, list(range(10**5)), {"a" * 10**6: 1}, 10**4000, [[[[[[[[1] * 50]]]]]]]])
def test_shown_is_short(value: object) -> None:
    assert len(shown(value)) == 120


@pytest.mark.parametrize("value", ["text", 3, 0.5, True, None, [1, "a"], {"low": 1, "high": 2}, ("a", 1)])
def test_shown_writes_what_is_short_as_python_does(value: object) -> None:
    assert shown(value) == repr(value)


@pytest.mark.parametrize(
    ("items", "width", "expected"),
    [
        ([], 10, []),
        (["a"], 1, ["a"]),
        (["adam", "rate 0.1", "b"], 14, ["adam,", "rate 0.1, b"]),
        (["adam", "rate 0.1", "b"], 15, ["adam, rate 0.1,", "b"]),
        (["adam", "rate 0.1", "b"], 17, ["adam, rate 0.1, b"]),
        (["longer than a line", "b", "c"], 5, ["longer than a line,", "b, c"]),
    ],
)
def test_lines_break_only_between_items(items: list[str], width: int, expected: list[str]) -> None:
    assert in_lines(items, width) == expected
