"""Folders that cannot be used are refused, and why."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.search.data.pictures import picture, pictures, refused


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    message = refused(tmp_path / "nowhere")
    assert f"data.path: there is no folder {str(tmp_path / 'nowhere')!r}" in message
    assert os.getcwd() in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_an_unreadable_folder_is_named(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    folder.chmod(0)
    message = refused(folder)
    folder.chmod(0o755)
    assert f"{str(folder)!r} cannot be read (Permission denied)" in message


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "images").touch()
    assert "is no folder: name the folder" in refused(tmp_path / "images")


def _no_folders(folder: Path) -> None:
    picture(folder / "0.png", 1)


def _empty_class(folder: Path) -> None:
    pictures(folder)
    (folder / "emu").mkdir()


def _loose_images(folder: Path) -> None:
    pictures(folder)
    picture(folder / "loose.png", 1)


def _nested(folder: Path) -> None:
    pictures(folder / "all")


def _odd_split(folder: Path) -> None:
    pictures(folder / "train")
    pictures(folder / "extra")


def _two_validations(folder: Path) -> None:
    for name in ("train", "val", "valid"):
        pictures(folder / name)


def _no_classes_in_test(folder: Path) -> None:
    pictures(folder / "train")
    picture(folder / "test" / "0.png", 1)


def _one_class(folder: Path) -> None:
    pictures(folder, classes=("cat",))


def _few_images(folder: Path) -> None:
    pictures(folder, n_per_class=2)


@pytest.mark.parametrize(
    ("make", "fragments"),
    [
        (Path.mkdir, ["has no folders in it", "one for each class"]),
        (_no_folders, ["has no folders in it", "one for each class"]),
        (_empty_class, ["emu has no image in it", "classes = [...]"]),
        (_loose_images, ["1 images lie beside the class folders", "loose.png"]),
        (_nested, ["all/cat is a folder inside a class folder", 'write path = "', 'images/all"']),
        (_odd_split, ["has a folder for training", "'extra'", "Move it away"]),
        (_two_validations, ["several folders for one split"]),
        (_no_classes_in_test, ["test has no folders in it"]),
        (_one_class, ["one class only (cat)"]),
        (_few_images, ["2 classes have too few different examples to be in each of 3 splits", "cat: 2", "dog: 2"]),
    ],
)
def test_folders_that_cannot_be_used_are_refused(tmp_path: Path, make: Any, fragments: list[str]) -> None:
    make(tmp_path / "images")
    message = refused(tmp_path / "images")
    for fragment in [str(tmp_path / "images") if "path" in message else "data", *fragments]:
        assert fragment in message
