"""Folders of images with a folder for each class."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.search.data.pictures import picture, pictures, refused, sizes, source
from tunefront.search.data.cache import prepare


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        # 10 images of each of two classes in each folder; what is missing is a fifth of train each
        (["train"], (12, 4, 4)),
        (["train", "test"], (16, 4, 20)),
        (["train", "validation"], (16, 20, 4)),
        (["train", "valid"], (16, 20, 4)),
        (["train", "val", "test"], (20, 20, 20)),
        (["Train", "Test"], (16, 4, 20)),
        (["Training", "Testing"], (16, 4, 20)),
        (["training_set", "test_set"], (16, 4, 20)),
        (["TrainSet", "valid-set"], (16, 20, 4)),
    ],
)
def test_given_splits_are_kept_and_others_taken_from_train(
    any_folder: Path, splits: list[str], expected: tuple[int, int, int]
) -> None:
    for place, name in enumerate(splits):
        pictures(any_folder / "images" / name, seed=100 * place)
    dataset = prepare(source(any_folder / "images"), seed=1)
    assert sizes(dataset) == expected
    assert dataset.class_names == ("cat", "dog")


def test_a_class_may_be_called_like_a_split(tmp_path: Path) -> None:
    dataset = prepare(source(pictures(tmp_path / "images", classes=("bus", "car", "train"))), seed=1)
    assert (dataset.class_names, sum(sizes(dataset))) == (("bus", "car", "train"), 30)
    assert dataset.notes == {"images are in the folder 'train', which is taken as a class, not as a split": 10}
    named = prepare(source(tmp_path / "images", classes=["bus", "car", "train"]), seed=1)
    assert (named.class_names, named.notes) == (("bus", "car", "train"), {})


def test_a_class_may_be_called_results(tmp_path: Path) -> None:
    dataset = prepare(source(pictures(tmp_path / "images", classes=("results", "other"))), seed=1)
    assert dataset.class_names == ("other", "results")


def test_litter_is_ignored(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    for name in (".DS_Store", "cat/.DS_Store", "cat/Thumbs.db", "dog/desktop.ini", "README.txt", "cat/._0.png"):
        (folder / name).write_bytes(b"litter")
    (folder / ".ipynb_checkpoints").mkdir()
    dataset = prepare(source(folder), seed=1)
    assert (sum(sizes(dataset)), dataset.notes) == (20, {})


def test_relative_paths_start_at_the_current_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pictures(tmp_path / "images")
    monkeypatch.chdir(tmp_path)
    assert sum(sizes(prepare(source(Path("images")), seed=1))) == 20


def test_names_that_are_no_text_can_be_used(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    os.rename(os.fsencode(folder / "dog"), os.fsencode(folder) + b"/dog\xff")
    dataset = prepare(source(folder), seed=1)
    assert dataset.class_names == ("cat", "dog\\xff")


# Classes


def test_classes_choose_in_their_order(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images", classes=("ant", "bee", "cat"))
    (folder / "empty").mkdir()
    dataset = prepare(source(folder, classes=["cat", "ant"], positive_class="ant"), seed=1)
    assert (dataset.class_names, dataset.positive_class, sum(sizes(dataset))) == (("cat", "ant"), 1, 20)


@pytest.mark.parametrize(("name", "expected"), [("", 1), ("cat", 0), ("dog", 1)])
def test_positive_class_is_the_named_or_the_second_one(tmp_path: Path, name: str, expected: int) -> None:
    assert prepare(source(pictures(tmp_path / "images"), positive_class=name), seed=1).positive_class == expected


@pytest.mark.parametrize(
    ("settings", "fragments"),
    [
        ({"classes": ["cat", "dgo"]}, ["data.classes: there is no class 'dgo'", "Did you mean 'dog'?"]),
        ({"classes": ["cat"]}, ["one class only (cat)"]),
        ({"positive_class": "caat"}, ["data.positive_class: there is no class 'caat'", "Did you mean 'cat'?"]),
    ],
)
def test_unknown_classes_are_refused(tmp_path: Path, settings: dict[str, Any], fragments: list[str]) -> None:
    message = refused(pictures(tmp_path / "images"), **settings)
    for fragment in fragments:
        assert fragment in message


# Sizes


def test_images_of_one_size_need_no_image_size(tmp_path: Path) -> None:
    assert prepare(source(pictures(tmp_path / "images"), channels=1), seed=1).image_shape == (8, 8, 1)


@pytest.mark.parametrize(("image_size", "expected"), [(6, (6, 6, 3)), ([4, 6], (4, 6, 3))])
def test_image_size_is_height_and_width(tmp_path: Path, image_size: Any, expected: tuple[int, ...]) -> None:
    assert prepare(source(pictures(tmp_path / "images"), image_size=image_size), seed=1).image_shape == expected


def test_images_of_several_sizes_need_an_image_size(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    odd = picture(folder / "cat" / "odd.png", seed=99, size=(5, 6))
    message = refused(folder)
    for fragment in ("data.image_size: the images have 2 sizes", f"5 x 6: {odd}", "8 x 8: ", "image_size = 8"):
        assert fragment in message
    assert prepare(source(folder, image_size=8), seed=1).image_shape == (8, 8, 3)
