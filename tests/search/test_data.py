"""Splits, and the cache that all trials of a machine share."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from search.data import Dataset, cache, prepare, splits
from tests.conftest import DIGITS


@pytest.fixture
def cache_folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"  # as the fixture for all tests has set it


# Splits


def labels_of(n_per_class: int = 50, n_classes: int = 4) -> np.ndarray:
    labels = np.repeat(np.arange(n_classes), n_per_class)
    return np.random.default_rng(1).permutation(labels)


@pytest.mark.parametrize(("validation", "test"), [(0.2, 0.2), (0.1, 0.3), (0.5, 0.1)])
def test_stratified_splits_every_class_in_the_same_share(validation: float, test: float) -> None:
    labels = labels_of()
    rows = splits.stratified(labels, validation, test, seed=1)
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    for name, share in shares.items():
        assert np.bincount(labels[rows[name]]).tolist() == [round(50 * share)] * 4


def test_stratified_splits_are_disjoint_and_leave_nothing_out() -> None:
    rows = splits.stratified(labels_of(), 0.2, 0.2, seed=1)
    together = np.concatenate([rows["train"], rows["validation"], rows["test"]])
    assert np.sort(together).tolist() == list(range(200))
    assert all((np.diff(numbers) > 0).all() for numbers in rows.values())  # sorted


def test_stratified_splits_depend_on_the_seed_alone() -> None:
    first, again, other = (splits.stratified(labels_of(), 0.2, 0.2, seed) for seed in (1, 1, 2))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    assert first["test"].tolist() != other["test"].tolist()


def test_stratified_keeps_the_test_split_when_the_validation_share_changes() -> None:
    one = splits.stratified(labels_of(), 0.2, 0.2, seed=1)
    other = splits.stratified(labels_of(), 0.4, 0.2, seed=1)
    np.testing.assert_array_equal(one["test"], other["test"])


def test_stratified_refuses_when_a_class_has_too_few_images() -> None:
    with pytest.raises(ValueError, match="class"):
        splits.stratified(np.array([0] * 20 + [1]), 0.2, 0.2, seed=1)


# The prepared digits


def test_prepare_gives_whole_splits_of_digits(digits: Dataset) -> None:
    assert (digits.source, digits.image_shape, digits.n_classes) == ("digits", (8, 8, 1), 10)
    assert digits.class_names == tuple("0123456789")
    assert digits.n_train + digits.n_validation + digits.n_test == 1797
    for name, n_images in (("train", digits.n_train), ("validation", digits.n_validation), ("test", digits.n_test)):
        split = digits.split(name)
        assert split.images.shape == (n_images, 8, 8, 1)
        assert split.images.dtype == np.uint8
        assert (split.images.min(), split.images.max()) == (0, 255)
        assert split.labels.shape == (n_images,)
        assert set(split.labels.tolist()) == set(range(10))


def test_splits_are_mapped_read_only(digits: Dataset) -> None:
    split = digits.split("train")
    assert isinstance(split.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        split.images[0] = 0


def test_no_image_is_in_two_splits_when_it_is_in_the_data_once(digits: Dataset) -> None:
    images = [digits.split(name).images.reshape(-1, 64) for name in ("train", "validation", "test")]
    n_different = len(np.unique(np.concatenate(images), axis=0))
    assert sum(len(np.unique(part, axis=0)) for part in images) == n_different


def test_facts_are_plain_and_leave_the_folder_out(digits: Dataset) -> None:
    facts = json.loads(json.dumps(digits.facts()))
    assert facts["folder"] is None
    assert (facts["n_train"], facts["n_classes"]) == (digits.n_train, 10)


# The cache


def test_prepare_uses_what_is_there_when_it_is_called_again(cache_folder: Path) -> None:
    first = prepare(DIGITS, seed=1)
    assert Path(first.folder).parent == cache_folder
    before = {path: path.stat().st_mtime_ns for path in Path(first.folder).iterdir()}
    assert prepare(DIGITS, seed=1) == first
    assert {path: path.stat().st_mtime_ns for path in Path(first.folder).iterdir()} == before


def test_prepare_makes_another_dataset_when_a_setting_or_the_seed_differs(cache_folder: Path) -> None:
    datasets = [prepare(DIGITS, seed=1), prepare(DIGITS, seed=2), prepare({**DIGITS, "test_fraction": 0.3}, seed=1)]
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
        ({"TUNEFRONT_CACHE": "/a/b", "XDG_CACHE_HOME": "/x"}, "/a/b"),
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
    assert cache.cache_folder() == Path(expected)


def _prepare_and_report(folder: str, barrier: multiprocessing.Barrier) -> None:  # type: ignore[valid-type]
    os.environ["TUNEFRONT_CACHE"] = folder
    barrier.wait()
    dataset = prepare(DIGITS, seed=1)
    (Path(folder).parent / f"prepared-{os.getpid()}").write_text(dataset.fingerprint)


@pytest.mark.usefixtures("fork_server")
def test_prepare_makes_one_whole_dataset_when_several_processes_prepare_it(cache_folder: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    barrier = context.Barrier(3)
    processes = [context.Process(target=_prepare_and_report, args=(str(cache_folder), barrier)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    fingerprints = [path.read_text() for path in cache_folder.parent.glob("prepared-*")]
    assert fingerprints == [prepare(DIGITS, seed=1).fingerprint] * 3
    assert len(list(cache_folder.iterdir())) == 1  # and nothing half made


def _prepare_and_die(folder: str) -> None:
    """Die as kill -9 would have it, when half of the arrays are written."""
    os.environ["TUNEFRONT_CACHE"] = folder
    save, n_saved = np.save, 0

    def save_and_die(path: object, array: object) -> None:
        nonlocal n_saved
        n_saved += 1
        if n_saved == 4:
            os._exit(9)
        save(path, array)  # type: ignore[arg-type]

    np.save = save_and_die
    prepare(DIGITS, seed=1)


@pytest.mark.usefixtures("fork_server")
def test_prepare_leaves_no_broken_dataset_when_it_is_killed_half_way(cache_folder: Path) -> None:
    process = multiprocessing.get_context("forkserver").Process(target=_prepare_and_die, args=(str(cache_folder),))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    (partial,) = cache_folder.iterdir()  # it did get half way
    assert partial.name.startswith(".")
    dataset = prepare(DIGITS, seed=1)
    assert Path(dataset.folder) != partial
    for name in ("train", "validation", "test"):
        assert len(dataset.split(name).images) == len(dataset.split(name).labels)


def test_prepare_leaves_nothing_behind_when_it_fails(cache_folder: Path) -> None:
    with pytest.raises(ValueError, match="class"):
        prepare({**DIGITS, "validation_fraction": 0.001}, seed=1)  # 2 images of 10 classes
    assert list(cache_folder.iterdir()) == []
