"""Folders of images with a folder for each class."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.search.data.decoding.test_decode import bomb
from tests.search.data.pictures import picture, pictures, source
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.decoding.pixels import SKIPPED
from tunefront.search.data.examples import DataError


def sizes(dataset: Dataset) -> tuple[int, int, int]:
    return dataset.n_train, dataset.n_validation, dataset.n_test


def refused(folder: Path, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        prepare(source(folder, **settings), seed=1)
    return str(caught.value)


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


# Bad images


def with_bad_images(folder: Path) -> list[Path]:
    """Make some files unusable; return them."""
    pictures(folder)
    whole = (folder / "dog" / "0.png").read_bytes()
    contents = {
        "cat/empty.png": b"",
        "cat/text.png": b"hello",
        "dog/bomb.png": bomb(),
        "dog/cut.png": whole[: len(whole) // 2],
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "dog" / "lost.png").symlink_to(folder / "nowhere.png")
    return [*(folder / name for name in contents), folder / "dog" / "lost.png"]


@pytest.mark.parametrize("image_size", [None, 8])
def test_all_bad_images_are_named(any_folder: Path, image_size: int | None) -> None:
    bad = with_bad_images(any_folder / "images")
    message = refused(any_folder / "images", image_size=image_size)
    assert "5 of 25 files are no image" in message or image_size is None
    for path in bad if image_size else bad[:3]:
        assert f"{path}: " in message
    assert 'on_bad_image = "skip"' in message


@pytest.mark.parametrize("image_size", [None, 8])
def test_bad_images_are_left_out_and_counted_when_told_so(tmp_path: Path, image_size: int | None) -> None:
    bad = with_bad_images(tmp_path / "images")
    dataset = prepare(source(tmp_path / "images", image_size=image_size, on_bad_image="skip"), seed=1)
    assert sum(sizes(dataset)) == 20
    assert list(dataset.notes.values()) == [5]
    named = (Path(dataset.folder) / SKIPPED).read_text(encoding="utf-8").splitlines()
    assert [line.partition(": ")[0] for line in named] == sorted(str(path) for path in bad)
    assert all(line.partition(": ")[2] for line in named)
    (tmp_path / "other").mkdir()
    clean = prepare(source(pictures(tmp_path / "other")), seed=1)
    assert dataset.fingerprint == clean.fingerprint


def test_twenty_bad_images_are_shown_and_all_counted(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    for number in range(30):
        (folder / "cat" / f"bad{number}.png").write_bytes(b"no image")
    message = refused(folder)
    assert message.count(": is no image") == 20
    assert "30 of 50 files" in message
    assert "and 10 more" in message


def test_only_bad_images_are_refused_also_when_they_may_be_skipped(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        (tmp_path / "images" / name / "0.png").write_bytes(b"no image")
    assert "2 of 2 files" in refused(tmp_path / "images", on_bad_image="skip")
    assert "2 of 2 files" in refused(tmp_path / "images", on_bad_image="skip", image_size=8)


# Folders that cannot be used


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


def with_unreadable(folder: Path, *names: str) -> Path:
    """Write two classes of 10 images, a and b, and files that are no images in the named folders."""
    pictures(folder, classes=("a", "b"))
    for name in names:
        for number in range(5):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"bad{number}.png").write_bytes(b"no image")
    return folder


def test_a_class_of_which_no_file_can_be_read_is_named(tmp_path: Path) -> None:
    folder = with_unreadable(tmp_path / "images", "c")
    with pytest.raises(DataError, match=r"no file of 1 classes can be read: .*rare_classes = \"drop\":\n  c: 5"):
        prepare(source(folder, on_bad_image="skip"), seed=1)
    dataset = prepare(source(folder, on_bad_image="skip", rare_classes="drop"), seed=1)
    assert dataset.class_names == ("a", "b")
    assert dataset.notes["classes have no file that can be read, and were left out: c"] == 1
    with pytest.raises(DataError, match="for two classes are needed"):
        prepare(source(folder, on_bad_image="skip", rare_classes="drop", classes=["c", "a"]), seed=1)


def test_a_given_split_of_which_no_file_can_be_read_is_not_taken_from_training(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    pictures(folder / "train")
    for name in ("cat", "dog"):
        (folder / "test" / name).mkdir(parents=True)
        (folder / "test" / name / "1.png").write_bytes(b"x" * 100)
    with pytest.raises(DataError, match="no file of the given test split can be read"):
        prepare(source(folder, on_bad_image="skip"), seed=1)
