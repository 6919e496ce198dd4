"""The cache that all trials of a machine share: prepared once, whole or not at all."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.conftest import DIGITS
from tests.search.data.pictures import picture, pictures, source
from tunefront.search.data import cache
from tunefront.search.data import cache_folder as cache_folder_module
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset_files import require_space
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.digits import DigitsSource
from tunefront.search.system.processes import n_cpus


@pytest.fixture
def cache_folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "tunefront"  # below the folder that the fixture for all tests has set


def prepared_folders(cache_folder: Path) -> list[str]:
    """Return names of what lies in the cache, whole or not."""
    return sorted(path.name for path in cache_folder.iterdir() if path.name not in ("locks", "manifests", "records"))


def manifest_of(cache_folder: Path) -> list[Any]:
    """Return every digest that was ever remembered: a line for each reading of a file."""
    lines = [line for path in cache_folder.glob("manifests/*") for line in path.read_text().splitlines() if line]
    return [json.loads(line) for line in lines]


def test_prepare_uses_what_is_there_when_it_is_called_again(cache_folder: Path) -> None:
    first = prepare(DIGITS, seed=1)
    assert Path(first.folder).parent == cache_folder
    before = {path: path.stat().st_mtime_ns for path in Path(first.folder).iterdir() if path.name != "used"}
    assert prepare(DIGITS, seed=1) == first
    after = {path: path.stat().st_mtime_ns for path in Path(first.folder).iterdir() if path.name != "used"}
    assert after == before


def _digits(**settings: Any) -> DigitsSource:
    return DigitsSource.model_validate({"source": "digits", **settings})


def test_prepare_makes_another_dataset_when_a_setting_or_the_seed_differs(cache_folder: Path) -> None:
    datasets = [prepare(DIGITS, seed=1), prepare(DIGITS, seed=2), prepare(_digits(test_fraction=0.3), seed=1)]
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


# Files: read and decoded once


def test_prepare_gives_the_pixels_of_files(any_folder: Path) -> None:
    from PIL import Image

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


# Several processes, and processes that are killed


def test_prepare_waits_for_another_that_prepares_the_same(tmp_path: Path, cache_folder: Path) -> None:
    folder = pictures(tmp_path / "images")
    is_writing, is_waiting = threading.Event(), threading.Event()
    made, told = [], []

    def first(what: str, done: int, total: int) -> None:
        if what == "writing the prepared data" and not is_writing.is_set():
            is_writing.set()
            assert is_waiting.wait(60)

    def second(what: str, done: int, total: int) -> None:
        told.append(what)
        if what.startswith("waiting"):
            is_waiting.set()

    thread = threading.Thread(target=lambda: made.append(prepare(source(folder), 1, first)))
    thread.start()
    assert is_writing.wait(60)
    made.append(prepare(source(folder), 1, second))
    thread.join()
    assert made[0] == made[1]
    assert "waiting for another process that prepares the same data" in told
    assert "decoding images" not in told
    assert prepared_folders(cache_folder) == [Path(made[0].folder).name]


def _prepare_and_report(folder: str, barrier: multiprocessing.Barrier) -> None:  # type: ignore[valid-type]
    os.environ["TUNEFRONT_CACHE"] = folder
    barrier.wait()
    dataset = prepare(DIGITS, seed=1)
    (Path(folder) / f"prepared-{os.getpid()}").write_text(dataset.fingerprint)


@pytest.mark.usefixtures("fork_server")
def test_prepare_makes_one_whole_dataset_when_several_processes_prepare_it(cache_folder: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    barrier = context.Barrier(3)
    processes = [
        context.Process(target=_prepare_and_report, args=(str(cache_folder.parent), barrier)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    fingerprints = [path.read_text() for path in cache_folder.parent.glob("prepared-*")]
    dataset = prepare(DIGITS, seed=1)
    assert fingerprints == [dataset.fingerprint] * 3
    assert prepared_folders(cache_folder) == [Path(dataset.folder).name]


def _prepare_and_die(cache: str, images: str, at: str) -> None:
    """Prepare a dataset, and die as by kill -9 when the step `at` is reported."""
    os.environ["TUNEFRONT_CACHE"] = cache
    prepare(source(Path(images)), 1, lambda what, done, total: os._exit(9) if what == at else None)


@pytest.mark.usefixtures("fork_server")
@pytest.mark.parametrize("at", ["reading files", "decoding images", "writing the prepared data"])
def test_prepare_leaves_no_broken_dataset_when_it_is_killed(tmp_path: Path, cache_folder: Path, at: str) -> None:
    folder = pictures(tmp_path / "images")
    arguments = (str(cache_folder.parent), str(folder), at)
    process = multiprocessing.get_context("forkserver").Process(target=_prepare_and_die, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert all(name.startswith(".") for name in prepared_folders(cache_folder))
    dataset = prepare(source(folder), seed=1)
    assert prepared_folders(cache_folder) == [Path(dataset.folder).name]  # what was left is gone
    for name in ("train", "validation", "test"):
        assert len(dataset.split(name).images) == len(dataset.split(name).labels)


@pytest.mark.parametrize(("age_seconds", "is_kept"), [(60, True), (2 * 24 * 3600, False)])
def test_prepare_removes_what_others_left_when_it_is_old(cache_folder: Path, age_seconds: int, is_kept: bool) -> None:
    left = cache_folder / ".tunefront-partial-folder-0123-abc"
    left.mkdir(parents=True)
    (left / "decoded.raw").touch()
    for path in (left / "decoded.raw", left):
        os.utime(path, (time.time() - age_seconds,) * 2)
    prepare(DIGITS, seed=1)
    assert left.exists() == is_kept


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
    dataset = prepare(_digits(folds=folds), seed=1)
    dataset.hold()
    first = dataset.split("train").images[:3].copy()
    shutil.rmtree(dataset.folder)
    np.testing.assert_array_equal(dataset.split("train").images[:3], first)
    assert len(dataset.split("validation").labels) == dataset.n_validation
    again = prepare(_digits(folds=folds), seed=1)
    np.testing.assert_array_equal(again.split("train").images[:3], first)


def test_a_dataset_that_was_removed_is_not_made_of_other_images(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    first = prepare(source(folder), seed=1)
    shutil.rmtree(first.folder)
    picture(folder / "cat" / "3.png", seed=77)
    with pytest.raises(DataError, match="what they were made from has changed since"):
        cache.ensure(first, source(folder), seed=1)


_DECODE_AND_WAIT = """
import os, sys
from pathlib import Path
from tunefront.search.data.cache import prepare
from tests.search.data.pictures import source

def wait(what, done, total):
    if what == "decoding images":
        print("decoding", flush=True)
        sys.stdin.read()

if __name__ == "__main__":
    prepare(source(Path(sys.argv[1])), 1, wait)
"""


@pytest.mark.skipif(n_cpus() == 1, reason="one core decodes without other processes")
def test_decoders_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images", n_per_class=120)
    (tmp_path / "decode.py").write_text(_DECODE_AND_WAIT)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "decode.py", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"decoding\n"
    decoders = psutil.Process(process.pid).children(recursive=True)
    assert len(decoders) >= 2
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert psutil.wait_procs(decoders, timeout=60)[1] == []


def test_prepare_leaves_nothing_behind_when_it_fails(cache_folder: Path, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images", n_per_class=2)
    with pytest.raises(DataError, match="2 classes have too few different examples"):
        prepare(source(folder), seed=1)
    assert prepared_folders(cache_folder) == []


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
