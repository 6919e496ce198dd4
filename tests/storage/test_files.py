"""Files that are replaced at once, also by several processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tunefront.storage.files import replace_file


def test_two_processes_may_write_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, replace = tmp_path / "page.html", Path.replace

    def replace_after_another_process(mine: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "replace", replace)
        monkeypatch.setattr(os, "getpid", lambda: 4_194_305)  # above the highest process number of Linux
        replace_file(path, "theirs")
        assert path.read_text() == "theirs"
        return replace(mine, target)

    monkeypatch.setattr(Path, "replace", replace_after_another_process)
    replace_file(path, "mine")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_with_the_name_of_the_file(small_disk: Path) -> None:
    path = small_disk / "page.html"
    replace_file(path, "old")
    with pytest.raises(OSError, match="No space left on device") as caught:
        replace_file(path, "new" * 100_000)
    assert caught.value.filename == str(path)
    assert [found.read_text() for found in small_disk.iterdir()] == ["old"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    for name in ("page.html", f".page.html.{os.getpid()}.partial"):
        (tmp_path / name).symlink_to("theirs")
    replace_file(tmp_path / "page.html", "mine")
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert (tmp_path / "page.html").read_text() == "mine"
    assert not (tmp_path / "page.html").is_symlink()
