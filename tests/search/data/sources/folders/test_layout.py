"""Folders that are nearly split, or whose classes lie elsewhere: what the message says to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.search.data.pictures import picture, source
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.split_names import split_in, split_meant


def layout(folder: Path, files: Sequence[str]) -> Path:
    """Write an image at each path; return the folder."""
    for number, name in enumerate(files):
        picture(folder / name, number)
    return folder


def refused(folder: Path, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        source(folder, **settings).find()
    return str(caught.value)


TRAIN = ("train/a/0.png", "train/b/1.png")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            [*TRAIN, "test/0.png"],
            "images/test has no folders in it, and images without a class cannot be scored: move it away, and a test "
            "split is taken from the training images",
        ),
        ([*TRAIN, "val/0.png"], "and a validation split is taken from the training images"),
        (["train/0.png", "test/0.png"], "images/train has no folders in it, and needs one for each class"),
        (
            ["train_data/a/0.png", "train_data/b/0.png", "test_data/a/0.png"],
            "images seems to be split. Rename 'test_data' to test, and rename 'train_data' to train",
        ),
        (["seg_train/seg_train/a/0.png", "seg_pred/0.png"], "seems to be split. Rename 'seg_train' to train"),
        (["images_train/a/0.png", "images_val/a/0.png"], "'images_train' to train, and rename 'images_val' to valid"),
        (["TrainImages/a/0.png", "b/0.png"], "seems to be split. Rename 'TrainImages' to train"),
        (
            ["valid/a/0.png", "test/a/0.png"],
            "Call the folder for training train (there is 'test' and 'valid', and none for training)",
        ),
        (["train_a/a/0.png", "train_b/a/0.png"], "has 'train_a', 'train_b': leave one folder for each split"),
        (["train/seg_train/a/0.png", "train/seg_train/b/0.png"], "the classes, move them up into "),
        (["ds/train/a/0.png", "ds/test/a/0.png"], 'if its folders are those of the data, write path = "{}/ds"'),
        (["ds/train/a/0.png", "docs/0.png"], 'if its folders are those of the data, write path = "{}/ds"'),
        (["all/a/0.png", "all/b/0.png"], 'if its folders are those of the data, write path = "{}/all"'),
        (["a/train/0.png", "a/test/0.png", "b/train/0.png"], "the splits come first, such as test/a/FILE"),
        (["a/one/0.png", "b/two/0.png"], "a/one is a folder inside a class folder. Images lie as path/CLASS/FILE"),
        ([*TRAIN, "dev/a/0.png"], "also 'dev', which is no split: "),
        ([*TRAIN, "dev/a/0.png"], "Rename it to validation or test"),
        ([*TRAIN, "eval/a/0.png"], "Rename it to validation or test"),
        ([*TRAIN, "hold_out/a/0.png", "test/a/0.png"], "Rename it to validation"),
        ([*TRAIN, "test_images/a/0.png"], "Rename it to test"),
        ([*TRAIN, "test_images/a/0.png", "test/a/0.png"], "Move it away"),
        ([*TRAIN, "extra/a/0.png"], "Move it away"),
        (
            ["train_images/0.png", "test_images/1.png"],
            "has 'test_images' and 'train_images' with images directly in them, which would be the classes. If they "
            "are splits, sort the images into a folder for each class, as in path/train/CLASS/FILE",
        ),
        (["valid/0.png", "test/1.png"], "If they are classes, say so with classes = [...]"),
        (["train/0.png", "dev/1.png"], "'dev' and 'train' with images directly in them"),
    ],
)
def test_a_layout_that_cannot_be_used_is_refused_with_what_to_do(
    any_folder: Path, files: list[str], expected: str
) -> None:
    folder = layout(any_folder / "images", files)
    message = refused(folder)
    assert message.startswith(f"data.path: {folder}")
    assert expected.format(folder) in message


def test_nothing_is_moved_up_out_of_splits(tmp_path: Path) -> None:
    for name, files in {
        "a": ["train_data/x/0.png", "test_data/x/0.png"],
        "b": ["valid/x/0.png", "test/x/0.png"],
        "c": ["ds/train/x/0.png", "ds/test/x/0.png"],
    }.items():
        assert "move them up" not in refused(layout(tmp_path / name, files))


def test_folders_called_as_splits_are_classes_where_the_spec_says_so(tmp_path: Path) -> None:
    folder = layout(tmp_path / "images", ["train_images/0.png", "test_images/1.png"])
    found = source(folder, classes=["train_images", "test_images"]).find()
    assert (list(found.class_names), found.splits, found.notes) == (["test_images", "train_images"], None, {})


def test_a_folder_that_is_not_among_the_classes_may_be_called_anything(tmp_path: Path) -> None:
    folder = layout(tmp_path / "images", ["a/0.png", "b/1.png", "test_data/inner/2.png"])
    assert len(source(folder, classes=["a", "b"]).find()) == 2


@pytest.mark.parametrize(
    ("files", "notes"),
    [
        (["cat/0.png", "dog/1.png", "test/2.png"], ["test"]),
        (["train_images/0.png", "test_images/1.png", "sample/2.png"], ["test_images", "train_images"]),
        (["test_tube/0.png", "test_card/1.png"], []),
        (["cat/0.png", "dog/1.png"], []),
    ],
)
def test_classes_that_are_called_as_splits_are_noted(tmp_path: Path, files: list[str], notes: list[str]) -> None:
    expected = {f"images are in the folder {name!r}, which is taken as a class, not as a split": 1 for name in notes}
    assert source(layout(tmp_path / "images", files)).find().notes == expected


@pytest.mark.parametrize(
    ("name", "split", "meant"),
    [
        ("trainset", "train", "train"),
        ("flowersTrain", "train", "train"),
        ("FLOWERSTest.tfrecord", "test", "test"),
        ("CIFARtrain", "train", "train"),
        ("TestImages", "test", "test"),
        ("validationSet-00000-of-00002", "validation", "validation"),
        ("train2017", "train", "train"),
        ("train_test", "test", "test"),
        ("latest", None, ""),
        ("contest", None, ""),
        ("Valley", None, ""),
        ("restrain", None, ""),
        ("dev", None, "validation or test"),
        ("dev_set", None, "validation or test"),
        ("Hold-Out", None, "validation or test"),
        ("device", None, ""),
    ],
)
def test_the_words_of_a_name_say_its_split(name: str, split: str | None, meant: str) -> None:
    assert (split_in(name), split_meant(name)) == (split, meant)
