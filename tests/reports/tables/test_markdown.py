"""The front as Markdown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.markdown import escape, front_markdown


def test_table_is_formatted_by_hand(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {**THREE, "accuracy": {"measure": "accuracy", "at_least": 0.5}}, n_trials=2)
    fixture.complete(0.9722, 1_310_000, 4.2, parameters={"optimizer.name": "adam", "cnn.filters": 8})
    fixture.complete(0.9, 36_000, 0.25, parameters={"optimizer.name": "sgd", "cnn.filters": 8})
    assert front_markdown(fixture.results()) == (
        "# digits: 2 models on the front\n"
        "\n"
        "2 trials on digits (1149 images to train, 288 to validate, 3 classes): 2 complete. "
        "Wanted: high accuracy (at least 50.00 %), low memory, low training time.\n"
        "\n"
        "| trial | accuracy | memory (model_bytes) | time (train_seconds) | epochs | optimizer |\n"
        "| ---: | ---: | ---: | ---: | ---: | --- |\n"
        "| 0 | 97.22 % | 1.31 MB | 4.2 s | 3 | adam |\n"
        "| 1 | 90.00 % | 36 kB | 250 ms | 3 | sgd |\n"
        "\n"
        "The same in all of them: filters = 8.\n"
    )


def test_trainable_parameters_are_told_where_they_were_counted(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=2)
    fixture.complete(0.9, 10, 4.0, measurements={"n_trainable_parameters": 1_234_567.0})
    fixture.complete(0.8, 5, 1.0)
    rows = front_markdown(fixture.results()).splitlines()[4:8]
    assert [[cell.strip() for cell in row.split("|")][5:7] for row in rows] == [
        ["trainable parameters", "epochs"],
        ["---:", "---:"],
        ["1,234,567", "3"],
        ["", "3"],
    ]


def test_cells_are_escaped_when_values_look_like_markup(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=2)
    fixture.complete(0.9, 10, 4.0, parameters={"optimizer.name": "a|b"})
    fixture.complete(0.8, 5, 1.0, parameters={"optimizer.name": "<b>bold</b>"})
    rows = front_markdown(fixture.results()).splitlines()[4:]
    assert rows[2].endswith(r"| a\|b |")
    assert rows[3].endswith(r"| \<b\>bold\</b\> |")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a|b", r"a\|b"), ("a\nb", "a b"), (r"\|", r"\\\|"), ("*_[x](y)", r"\*_\[x\](y)"), ("&lt;", r"\&lt;")],
)
def test_text_is_escaped(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_it_says_why_when_the_front_is_empty(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {**THREE, "accuracy": {"measure": "accuracy", "at_least": 0.5}})
    assert "No trial has started yet." in front_markdown(fixture.results())
    fixture.complete(0.1, 10, 1.0)
    assert "No complete trial keeps the limits" in front_markdown(fixture.results())


def test_it_says_how_far_an_unfinished_study_is(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=30)
    fixture.complete(0.9, 10, 1.0)
    sentence = "This study is not finished: 1 of 30 trials are finished. The 'tunefront run' command that started it"
    assert f"\n\n{sentence} goes on with it.\n\n| trial |" in front_markdown(fixture.results())


def test_every_row_has_as_many_cells_as_titles(results: StudyResults) -> None:
    table = [line.replace(r"\|", "") for line in front_markdown(results).splitlines() if line.startswith("|")]
    assert len(table) == 2 + 4
    assert len({line.count("|") for line in table}) == 1
