"""The command `figure`."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tunefront
from tests.reports.report_fixture import ReportFixture
from tunefront.commands.tables import Columns, FigureKind
from tunefront.reports.printed_figures.figure_kinds import FIGURE_KINDS
from tunefront.reports.printed_figures.style import WIDTHS

Run = Callable[..., tuple[int, str, str]]


def test_a_figure_for_a_paper(run: Run, tmp_path: Path, study: ReportFixture) -> None:
    assert run("figure", "digits") == (0, "wrote digits-front.pdf\n", "")
    assert (tmp_path / "digits-front.pdf").read_bytes().startswith(b"%PDF")
    code, output, _ = run("figure", "digits", "--kind", "learning-curves", "--width", "double", "--out", "a/b.svg")
    assert (code, output) == (0, "wrote a/b.svg\n")
    assert "<svg" in (tmp_path / "a" / "b.svg").read_text()


def test_from_python(tmp_path: Path, study: ReportFixture) -> None:
    found = tunefront.load_study("digits", storage=study.store.url)
    path = found.save_figure("time-accuracy", tmp_path / "time.png", width="double")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert found.save_figure("learning_curves", tmp_path / "curves.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["digits", "--out", "front.jpg"],
            "front.jpg: the suffix says the format, and '.jpg' is not possible. Did you",
        ),
        (["digits", "--kind", "confirmed"], "'tunefront confirm digits' trains its front again"),
        (["digits", "--out", "full.pdf"], "--out full.pdf is a folder: name a file"),
        (["digitz"], "has no study 'digitz'"),
    ],
)
def test_mistakes_are_told_in_one_line(
    run: Run, tmp_path: Path, study: ReportFixture, arguments: list[str], message: str
) -> None:
    (tmp_path / "full.pdf").mkdir()
    code, output, errors = run("figure", *arguments)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert message in errors


def test_without_matplotlib_it_says_what_to_install(
    run: Run, study: ReportFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec

    def find_others(name: str, *more: Any) -> Any:
        return None if name == "matplotlib" else find_spec(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", find_others)
    code, _, errors = run("figure", "digits")
    assert (code, errors) == (
        2, "tunefront: printed figures need another package: pip install 'tunefront[figures]'\n"
    )  # fmt: skip


def test_the_command_knows_all_figures_and_widths() -> None:
    assert [kind.value for kind in FigureKind] == list(FIGURE_KINDS)
    assert [columns.value for columns in Columns] == list(WIDTHS)
