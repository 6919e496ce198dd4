"""Prepared datasets whose files were damaged or removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import DIGITS
from tests.search.data.cache_view import digits, prepared_folders
from tests.search.data.pictures import picture, pictures, source
from tunefront.search.data import cache
from tunefront.search.data.cache import prepare
from tunefront.search.data.examples import DataError


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def zero(path: Path) -> None:
    labels = np.load(path)
    np.save(path, np.zeros_like(labels))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut images": lambda folder: cut(folder / "images.npy"),
    "cut labels": lambda folder: cut(folder / "labels.npy"),
    "no images": lambda folder: (folder / "images.npy").unlink(),
    "empty facts": lambda folder: (folder / "dataset.json").write_text(""),
    "other facts": lambda folder: (folder / "dataset.json").write_text("{}"),
    "no folder": shutil.rmtree,
    "cut images to what looks like an archive": lambda folder: (folder / "images.npy").write_bytes(b"PK" + bytes(100)),
    "zeros for labels": lambda folder: zero(folder / "labels.npy"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_dataset_is_prepared_again(cache_folder: Path, damage: str) -> None:
    first = prepare(DIGITS, seed=1)
    before = [first.split(name).images.copy() for name in ("train", "validation", "test")]
    held = first.split("train").images  # by a trial under way
    DAMAGES[damage](Path(first.folder))
    for again in (cache.ensure(first, DIGITS, seed=1), prepare(DIGITS, seed=1)):
        assert again == first
    for name, images in zip(("train", "validation", "test"), before, strict=True):
        np.testing.assert_array_equal(first.split(name).images, images)
    if not damage.startswith("cut"):
        np.testing.assert_array_equal(held, before[0])
    assert prepared_folders(cache_folder) == [Path(first.folder).name]


@pytest.mark.parametrize("name", ["images.npy", "contents.npy", "decoding.json"])
@pytest.mark.parametrize("content", [b"", b"PK" + bytes(50), "short", b"null"])
def test_a_damaged_dataset_spoils_no_other_one(tmp_path: Path, name: str, content: Any) -> None:
    folder = pictures(tmp_path / "images")
    first = prepare(source(folder), seed=1)
    damaged = Path(first.folder) / name
    if content == "short" and name.endswith(".npy"):
        np.save(damaged, np.load(damaged)[:3])
    else:
        damaged.write_bytes(b"{}" if content == "short" else content)
    other = prepare(source(folder, validation_fraction=0.3), seed=1)
    assert {image.tobytes() for name in ("train", "validation", "test") for image in other.split(name).images} == {
        np.asarray(Image.open(path)).tobytes() for path in folder.glob("*/*")
    }


@pytest.mark.parametrize("line", ["null", "5", '[["a"], 1, 2, 3, "x"]', '["a", "b", 2, 3, "x"]', '["a", 1]'])
def test_a_damaged_line_of_the_manifest_is_left_out(tmp_path: Path, cache_folder: Path, line: str) -> None:
    folder = pictures(tmp_path / "images")
    prepare(source(folder), seed=1)
    (manifest,) = cache_folder.glob("manifests/*")
    manifest.write_text(manifest.read_text() + line + "\n")
    assert prepare(source(folder), seed=2).n_train == 12


@pytest.mark.parametrize("folds", [0, 3])
def test_a_dataset_that_is_open_stays_so_when_its_files_are_removed(cache_folder: Path, folds: int) -> None:
    dataset = prepare(digits(folds=folds), seed=1)
    dataset.hold()
    first = dataset.split("train").images[:3].copy()
    shutil.rmtree(dataset.folder)
    np.testing.assert_array_equal(dataset.split("train").images[:3], first)
    assert len(dataset.split("validation").labels) == dataset.n_validation
    again = prepare(digits(folds=folds), seed=1)
    np.testing.assert_array_equal(again.split("train").images[:3], first)


def test_a_dataset_that_was_removed_is_not_made_of_other_images(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    first = prepare(source(folder), seed=1)
    shutil.rmtree(first.folder)
    picture(folder / "cat" / "3.png", seed=77)
    with pytest.raises(DataError, match="what they were made from has changed since"):
        cache.ensure(first, source(folder), seed=1)
