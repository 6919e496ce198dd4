"""Exported TFRecord files: they read back as the same arrays, classes and splits."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from tests.search.data.arrays import noise, prepared
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import SPLITS, DataError
from tunefront.search.data.export import Exported, export_tfrecords
from tunefront.search.data.sources import DataTable

pytestmark = pytest.mark.usefixtures("keras")  # TensorFlow, on the CPU


def read_back(exported: Exported) -> Dataset:
    return prepare(TypeAdapter(DataTable).validate_python(exported.table), seed=1)


def assert_same(one: Dataset, other: Dataset) -> None:
    assert (one.class_names, one.image_shape, one.fingerprint, one.positive_class) == (
        (other.class_names, other.image_shape, other.fingerprint, other.positive_class)
    )
    for split in SPLITS:
        np.testing.assert_array_equal(one.split(split).images, other.split(split).images)
        np.testing.assert_array_equal(one.split(split).labels, other.split(split).labels)


def test_export_reads_back_as_the_same_arrays_and_splits(digits: Dataset, tmp_path: Path) -> None:
    exported = export_tfrecords(digits, tmp_path / "records")
    names = sorted(path.name for path in exported.folder.iterdir())
    assert names == ["labels.txt", *(f"{split}-00000-of-00001.tfrecord" for split in sorted(SPLITS))]
    assert (exported.n_examples, exported.n_files) == (1797, 3)
    assert exported.n_bytes == sum(path.stat().st_size for path in exported.folder.glob("*.tfrecord"))
    assert_same(read_back(exported), digits)


def test_export_reads_back_the_same_when_there_are_many_files(any_folder: Path) -> None:
    dataset = prepared(any_folder, noise(40, 5, 7, 3), np.array(["b", "ä 1"] * 20), positive_class="b")
    exported = export_tfrecords(dataset, any_folder / "deep" / "records", shard_bytes=1000)
    assert exported.n_files > 3
    shards = sorted(path.name for path in exported.folder.glob("train-*"))
    assert shards[-1] == f"train-{len(shards) - 1:05}-of-{len(shards):05}.tfrecord"
    assert exported.table["positive_class"] == "b"
    assert_same(read_back(exported), dataset)


def test_export_has_tf_slims_keys(tmp_path: Path) -> None:
    import tensorflow as tf

    exported = export_tfrecords(prepared(tmp_path, noise(20, 4, 6, 3), np.array([7, 9] * 10)), tmp_path / "records")
    (record, *_) = tf.data.TFRecordDataset(str(exported.folder / "test-00000-of-00001.tfrecord")).as_numpy_iterator()
    features = tf.train.Example.FromString(record).features.feature
    text = {key: features[key].bytes_list.value[0] for key in ("image/format", "image/colorspace", "image/class/text")}
    assert text == {"image/format": b"png", "image/colorspace": b"RGB", "image/class/text": text["image/class/text"]}
    numbers = {key: features[key].int64_list.value[0] for key in ("image/height", "image/width", "image/channels")}
    assert numbers == {"image/height": 4, "image/width": 6, "image/channels": 3}
    assert (exported.folder / "labels.txt").read_text() == "0:7\n1:9\n"


def test_export_writes_fold_0_as_validation_when_there_are_folds(tmp_path: Path) -> None:
    dataset = prepared(tmp_path, noise(40, 4, 4), np.arange(40) % 2, folds=4)
    other = read_back(export_tfrecords(dataset, tmp_path / "records"))
    assert (other.n_train, other.n_validation, other.n_test) == (dataset.n_train, dataset.n_validation, dataset.n_test)
    np.testing.assert_array_equal(other.split("validation").images, dataset.split("validation", 0).images)


def test_export_tells_its_progress_to_the_end(digits: Dataset, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    export_tfrecords(digits, tmp_path / "records", lambda *progress: told.append(progress))
    assert [done for _, done, _ in told] == list(range(1, 1798))
    assert {(what, total) for what, _, total in told} == {("writing TFRecord files", 1797)}


def test_export_leaves_nothing_behind_when_it_is_interrupted(digits: Dataset, tmp_path: Path) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        if done == 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_tfrecords(digits, tmp_path / "out" / "records", interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_export_refuses_when_the_folder_exists(digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    with pytest.raises(DataError, match=r"records exists already, and nothing is overwritten: name a new folder"):
        export_tfrecords(digits, tmp_path / "records")


def test_export_refuses_when_the_folder_cannot_be_written(digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=re.escape(f"{tmp_path / 'file' / 'records'}: cannot be written")):
        export_tfrecords(digits, tmp_path / "file" / "records")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (noise(20, 6).astype(np.float32), "float32 values of shape (6,)"),
        (noise(20, 4, 4, 2), "uint8 values of shape (4, 4, 2)"),
        (noise(20, 4, 4, 3) / np.float32(255), "float32 values of shape (4, 4, 3)"),
    ],
)
def test_export_refuses_when_the_values_are_no_images(tmp_path: Path, values: np.ndarray, found: str) -> None:
    with pytest.raises(DataError, match=re.escape(found)):
        export_tfrecords(prepared(tmp_path, values, np.arange(20) % 2), tmp_path / "records")
    assert not (tmp_path / "records").exists()


def test_export_names_the_outputs_of_a_network(tmp_path: Path) -> None:
    dataset = prepared(tmp_path, noise(40, 5, 7, 3), np.array(["b", "a"] * 20), n_classes=9)
    exported = export_tfrecords(dataset, tmp_path / "records")
    assert (exported.table["n_classes"], read_back(exported).n_outputs) == (9, 9)
