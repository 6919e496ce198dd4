"""The report's files, of which a reader never sees a part."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pandas as pd
import pytest

from tunefront.reports.report_files import write_report
from tunefront.reports.study_results import StudyResults


def test_files_are_all_there_and_nothing_else(results: StudyResults, any_folder: Path) -> None:
    out = any_folder / "new" / "results"
    files = write_report(results, out)
    assert [path.name for path in files.paths] == [
        "report.html",
        "front.md",
        "front.csv",
        "trials.csv",
        "importance.csv",
        "epochs.csv",
        "classes.csv",
    ]
    assert sorted(out.iterdir()) == sorted(files.paths)
    assert files.report_html.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(pd.read_csv(files.trials_csv)) == 11
    assert pd.read_csv(files.front_csv)["trial"].tolist() == [8, 0, 1, 2]


def test_files_are_replaced_and_others_left_alone(results: StudyResults, tmp_path: Path) -> None:
    (tmp_path / "front.md").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    files = write_report(results, tmp_path)
    assert files.front_md.read_text(encoding="utf-8").startswith("# digits")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_others_can_read_them_as_the_umask_says(results: StudyResults, tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    files = write_report(results, tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.paths} == {stat.S_IMODE(usual.stat().st_mode)}


def test_the_old_file_stays_whole_when_writing_fails(
    results: StudyResults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.html").write_text("old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write_report(results, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "old"
