"""Where commands write: any folder, no other study's, and none that cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.study_fixture import DIRECTIONS, METRICS, StudyFixture
from tests.tunefront.commands.conftest import SPEC, Run
from tunefront.storage import studies
from tunefront.storage.database.connection import open_store


def test_report_writes_its_files_anywhere(run: Run, tmp_path: Path, store_study: StudyFixture) -> None:
    assert run("report", "digits")[0] == 0
    assert run("report", "digits", "--out", "an other/place")[0] == 0
    for folder in ("results/digits", "an other/place"):
        names = {path.name for path in (tmp_path / folder).iterdir()}
        assert {"report.html", "front.md", "front.csv", "trials.csv"} <= names


def test_a_report_is_not_written_over_that_of_another_storage(
    run: Run, tmp_path: Path, store_study: StudyFixture
) -> None:
    assert run("report", "digits")[0] == 0
    before = (tmp_path / "results" / "digits" / "report.html").read_bytes()
    store = open_store(f"sqlite:///{tmp_path / 'other.db'}", is_writer=True)
    studies.create(store, "digits", store_study.record.spec, {}, DIRECTIONS, METRICS)
    for command in ("report", "confirm"):
        code, output, errors = run(command, "digits", "--storage", "sqlite:///other.db")
        assert (code, output) == (2, "")
        assert "results/digits holds the results of another study named 'digits', made 2" in errors
        assert "--out" in errors
    assert (tmp_path / "results" / "digits" / "report.html").read_bytes() == before
    assert run("report", "digits", "--storage", "sqlite:///other.db", "--out", "elsewhere")[0] == 0


@pytest.mark.parametrize("arguments", [("run", "study.toml"), ("report", "digits")], ids=" ".join)
def test_a_folder_that_cannot_be_is_named_before_anything_is_done(
    run: Run, tmp_path: Path, store_study: StudyFixture, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    code, output, errors = run(*arguments, "--out", "notes.txt/report")
    assert (code, output) == (2, "")
    assert errors == (
        "tunefront: notes.txt/report cannot be written: notes.txt is a file. Name another folder with --out\n"
    )


def test_a_table_that_cannot_be_is_named_before_anything_is_done(run: Run, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(SPEC)
    code, _, errors = run("record", "study.toml", "--table", ".")
    assert (code, errors.startswith("tunefront: . is a folder: name a file with --table")) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study.toml"]


@pytest.mark.parametrize(
    "arguments", [("run", "study.toml"), ("report", "digits"), ("confirm", "digits")], ids=" ".join
)
def test_a_folder_that_the_system_refuses_is_named_before_anything_is_done(
    run: Run, tmp_path: Path, store_study: StudyFixture, arguments: tuple[str, ...]
) -> None:
    """Permissions do not tell of it: root has all of them there."""
    (tmp_path / "study.toml").write_text(SPEC)
    code, output, errors = run(*arguments, "--out", "/proc/report")
    assert (code, output) == (2, "")
    assert errors == (
        "tunefront: /proc/report cannot be written: /proc: No such file or directory. Name another folder with --out\n"
    )
    assert "Traceback" not in errors
