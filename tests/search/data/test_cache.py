"""The cache that all trials of a machine share: prepared once, whole or not at all."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import DIGITS
from tests.search.data.cache_view import digits, manifest_of
from tests.search.data.pictures import picture, pictures, source
from tunefront.search.data import cache_folder as cache_folder_module
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset_files import require_space
from tunefront.search.data.examples import DataError


def test_prepare_uses_what_is_there_when_it_is_called_again(cache_folder: Path) -> None:
    first = prepare(DIGITS, seed=1)
    assert Path(first.folder).parent == cache_folder
    before = {path: path.stat().st_mtime_ns for path in Path(first.folder).iterdir() if path.name != "used"}
    assert prepare(DIGITS, seed=1) == first
    after = {path: path.stat().st_mtime_ns for path in Path(first.folder).iterdir() if path.name != "used"}
    assert after == before


def test_prepare_makes_another_dataset_when_a_setting_or_the_seed_differs(cache_folder: Path) -> None:
    datasets = [prepare(DIGITS, seed=1), prepare(DIGITS, seed=2), prepare(digits(test_fraction=0.3), seed=1)]
    assert len({dataset.folder for dataset in datasets}) == 3
    assert len({dataset.fingerprint for dataset in datasets}) == 3


def test_prepare_gives_the_same_fingerprint_in_another_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = prepare(DIGITS, seed=1)
    monkeypatch.setenv("TUNEFRONT_CACHE", str(tmp_path / "other"))
    other = prepare(DIGITS, seed=1)
    assert other.folder != first.folder
    assert other.fingerprint == first.fingerprint


def test_prepare_works_when_the_cache_path_is_odd(monkeypatch: pytest.MonkeyPatch, any_folder: Path) -> None:
    monkeypatch.setenv("TUNEFRONT_CACHE", str(any_folder / "my cache"))
    assert prepare(DIGITS, seed=1).split("test").images.shape[1:] == (8, 8, 1)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"TUNEFRONT_CACHE": "/a/b", "XDG_CACHE_HOME": "/x"}, "/a/b/tunefront"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/tunefront"),
        ({"HOME": "/home/anna"}, "/home/anna/.cache/tunefront"),
        ({"TUNEFRONT_CACHE": "", "XDG_CACHE_HOME": "", "HOME": "/home/anna"}, "/home/anna/.cache/tunefront"),
    ],
)
def test_cache_folder_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("TUNEFRONT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder_module.cache_folder() == Path(expected)


def test_prepare_gives_the_pixels_of_files(any_folder: Path) -> None:

    dataset = prepare(source(pictures(any_folder / "my images")), seed=1)
    assert (dataset.source, dataset.image_shape, dataset.class_names) == ("folder", (8, 8, 3), ("cat", "dog"))
    assert (dataset.n_train, dataset.n_validation, dataset.n_test, dataset.notes) == (12, 4, 4, {})
    found = {
        (image.tobytes(), int(label))
        for name in ("train", "validation", "test")
        for image, label in zip(dataset.split(name).images, dataset.split(name).labels, strict=True)
    }
    assert found == {
        (np.asarray(Image.open(path)).tobytes(), ["cat", "dog"].index(path.parent.name))
        for path in any_folder.glob("my images/*/*.png")
    }


def test_prepare_reads_no_file_again_when_nothing_has_changed(tmp_path: Path, cache_folder: Path) -> None:
    folder = pictures(tmp_path / "images")
    first = prepare(source(folder), seed=1)
    before = manifest_of(cache_folder)
    assert sorted(line[0] for line in before) == sorted(str(path) for path in folder.glob("*/*"))
    assert prepare(source(folder), seed=1) == first
    assert manifest_of(cache_folder) == before


def test_prepare_reads_only_the_file_that_has_changed(tmp_path: Path, cache_folder: Path) -> None:
    folder = pictures(tmp_path / "images")
    first = prepare(source(folder), seed=1)
    before = manifest_of(cache_folder)
    changed = picture(folder / "cat" / "3.png", seed=77)
    other = prepare(source(folder), seed=1)
    assert other.fingerprint != first.fingerprint
    assert [line[0] for line in manifest_of(cache_folder)[len(before) :]] == [str(changed)]


def test_prepare_gives_the_same_dataset_when_the_files_have_moved(tmp_path: Path) -> None:
    first = prepare(source(pictures(tmp_path / "images")), seed=1)
    (tmp_path / "images").rename(tmp_path / "moved")
    assert prepare(source(tmp_path / "moved"), seed=1) == first


def test_prepare_leaves_out_a_line_of_the_manifest_that_was_cut_off(tmp_path: Path, cache_folder: Path) -> None:
    folder = pictures(tmp_path / "images")
    first = prepare(source(folder), seed=1)
    (manifest,) = cache_folder.glob("manifests/*")
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:-20])
    assert prepare(source(folder), seed=1) == first
    manifest.write_bytes(manifest.read_bytes().replace(whole[-20:], b""))
    picture(folder / "dog" / "new.png", seed=5)
    assert prepare(source(folder), seed=1).fingerprint != first.fingerprint


def test_prepare_copies_what_is_decoded_when_only_the_split_differs(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    first = prepare(source(folder), seed=1)
    picture(folder / "dog" / "new.png", seed=55)
    told: list[tuple[str, int, int]] = []
    other = prepare(source(folder), 2, lambda *progress: told.append(progress))
    assert [line for line in told if line[0] == "decoding images"] == [("decoding images", 1, 1)]
    shutil.rmtree(first.folder)
    shutil.rmtree(other.folder)
    alone = prepare(source(folder), 2)
    assert alone == other
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(alone.split(name).images, other.split(name).images)


def test_prepare_decodes_again_when_the_size_differs(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    prepare(source(folder), seed=1)
    told: list[tuple[str, int, int]] = []
    other = prepare(source(folder, image_size=4), 1, lambda *progress: told.append(progress))
    assert ("decoding images", 20, 20) in told
    assert other.image_shape == (4, 4, 3)


def test_prepare_in_processes_gives_what_one_gives(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images", n_per_class=120)  # so many are decoded by several processes
    many = prepare(source(folder), seed=1)
    fewer = prepare(source(folder, classes=["cat", "dog"]), seed=1)  # copied from those
    for path in folder.glob("*/1??.png"):
        path.unlink()
    shutil.rmtree(many.folder)
    shutil.rmtree(fewer.folder)
    few = prepare(source(folder), seed=1)
    images = {image.tobytes() for name in ("train", "validation", "test") for image in few.split(name).images}
    assert fewer.fingerprint == many.fingerprint
    assert len(images) == few.n_train + few.n_validation + few.n_test == 200


def test_prepare_touches_nothing_else_in_a_folder_that_it_is_given(tmp_path: Path, cache_folder: Path) -> None:
    mine = [cache_folder.parent / ".my-notes", cache_folder / ".my-notes", cache_folder.parent / "folder-0123"]
    for folder in mine:
        folder.mkdir(parents=True)
        (folder / "text").touch()
    (cache_folder / ".a-hidden-file").touch()
    for path in (*(folder / "text" for folder in mine), *mine, cache_folder / ".a-hidden-file"):
        os.utime(path, (time.time() - 9 * 24 * 3600,) * 2)
    prepare(DIGITS, seed=1)
    assert all((folder / "text").exists() for folder in mine)
    assert (cache_folder / ".a-hidden-file").exists()


def test_prepare_names_the_remedy_when_the_cache_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TUNEFRONT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match="set TUNEFRONT_CACHE"):
        prepare(DIGITS, seed=1)


def test_require_space_says_how_much_is_needed(tmp_path: Path) -> None:
    require_space(tmp_path, 1)
    with pytest.raises(DataError, match=r"needs 1,000,000,000,000 MB, and [\d,]+ MB are free there: make room"):
        require_space(tmp_path, 10**18)
