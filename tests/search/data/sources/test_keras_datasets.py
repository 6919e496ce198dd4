"""Keras's data sets, loaded by Keras itself from small files in Keras's own formats."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from tunefront.search.data.cache import prepare
from tunefront.search.data.examples import DataError, Examples
from tunefront.search.data.sources import DataTable, class_names

N_TRAIN, N_TEST = 6, 4
FASHION_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


@pytest.fixture
def datasets_folder(keras: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder "datasets" of a KERAS_HOME of this test's own, and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))  # Keras reads KERAS_HOME at import
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there, so connections are refused at once
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)  # made once a process, with the proxies of that time
    (tmp_path / "datasets" / "fashion-mnist").mkdir(parents=True)
    return tmp_path / "datasets"


@pytest.fixture
def any_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Keras accept files with other fingerprints than the original ones, such as the small files of a test."""
    monkeypatch.setattr("keras.src.utils.file_utils.validate_file", lambda *args, **kwargs: True)


def find(source: str, **keys: Any) -> Examples:
    return TypeAdapter(DataTable).validate_python({"source": source, **keys}).find()


def images(n: int, *shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def write_mnist(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    train, test = images(N_TRAIN, 28, 28), images(N_TEST, 28, 28, seed=1)
    labels = np.arange(10, dtype=np.uint8)
    np.savez(folder / "mnist.npz", x_train=train, y_train=labels[:6], x_test=test, y_test=labels[6:])
    return np.concatenate([train, test]), labels


def write_fashion_mnist(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    content, labels = images(N_TRAIN + N_TEST, 28, 28), np.arange(10, dtype=np.uint8)
    write_fashion_split(folder, "train", content[:N_TRAIN], labels[:N_TRAIN])
    write_fashion_split(folder, "test", content[N_TRAIN:], labels[N_TRAIN:])
    return content, labels


def write_fashion_split(folder: Path, split: str, content: np.ndarray, labels: np.ndarray) -> None:
    image_file, label_file = (folder / "fashion-mnist" / name for name in FASHION_FILES[split])
    header = np.array([0x803, len(content), 28, 28], dtype=">i4").tobytes()
    image_file.write_bytes(gzip.compress(header + content.tobytes()))
    header = np.array([0x801, len(content)], dtype=">i4").tobytes()
    label_file.write_bytes(gzip.compress(header + labels.astype(np.uint8).tobytes()))


def write_archive(path: Path, members: dict[str, dict[bytes, Any]]) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, batch in members.items():
            data = pickle.dumps(batch, protocol=3)  # 2 writes bytes in a way that Python 2 did not
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def write_cifar10(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Write 5 batches of 10 000 images, as Keras needs them; all but the first image of each are black."""
    members = {}
    marked = np.zeros((60_000, 3, 32, 32), dtype=np.uint8)
    marked[::10_000] = images(6, 3, 32, 32)
    labels = np.arange(60_000) % 10
    for number, name in enumerate(["data_batch_1", *(f"data_batch_{i}" for i in range(2, 6)), "test_batch"]):
        rows = slice(number * 10_000, (number + 1) * 10_000)
        batch = {b"data": marked[rows].reshape(10_000, 3072), b"labels": labels[rows].tolist()}
        members[f"cifar-10-batches-py/{name}"] = batch
    write_archive(folder / "cifar-10-batches-py-target_archive", members)
    return marked.transpose(0, 2, 3, 1), labels


def write_cifar100(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    content, labels = images(N_TRAIN + N_TEST, 3, 32, 32), np.arange(0, 100, 10)
    members = {}
    for name, rows in (("train", slice(0, N_TRAIN)), ("test", slice(N_TRAIN, None))):
        members[f"cifar-100-python/{name}"] = {
            b"data": content[rows].reshape(-1, 3072),
            b"fine_labels": labels[rows].tolist(),
            b"coarse_labels": (labels[rows] // 5).tolist(),
        }
    write_archive(folder / "cifar-100-python-target_archive", members)
    return content.transpose(0, 2, 3, 1), labels


@pytest.mark.usefixtures("any_fingerprint")
@pytest.mark.parametrize(
    ("source", "write", "shape", "first_class"),
    [
        ("mnist", write_mnist, (28, 28, 1), "0"),
        ("fashion_mnist", write_fashion_mnist, (28, 28, 1), "T-shirt/top"),
        ("cifar100", write_cifar100, (32, 32, 3), "apple"),
    ],
)
def test_find_gives_what_is_in_kerass_files(
    datasets_folder: Path, source: str, write: Callable[[Path], Any], shape: tuple[int, ...], first_class: str
) -> None:
    content, labels = write(datasets_folder)
    examples = find(source)
    np.testing.assert_array_equal(examples.content, content.reshape(-1, *shape))
    np.testing.assert_array_equal(examples.labels, labels)
    assert (examples.labels.dtype, examples.content.dtype) == (np.int64, np.uint8)  # type: ignore[union-attr]
    assert examples.splits == ["train"] * N_TRAIN + ["test"] * N_TEST
    assert (examples.names[0], examples.names[-1]) == ("x_train[0]", "x_test[3]")
    assert examples.class_names[0] == first_class


@pytest.mark.usefixtures("any_fingerprint")
def test_find_gives_cifar10_with_its_channels_last(datasets_folder: Path) -> None:
    content, labels = write_cifar10(datasets_folder)
    examples = find("cifar10")
    assert isinstance(examples.content, np.ndarray)
    assert examples.content.shape == (60_000, 32, 32, 3)
    np.testing.assert_array_equal(examples.content[::10_000], content[::10_000])
    np.testing.assert_array_equal(examples.labels, labels)
    assert examples.class_names[9] == "truck"
    assert (examples.splits or [])[49_999:50_001] == ["train", "test"]


@pytest.mark.usefixtures("any_fingerprint")
def test_find_gives_cifar100s_groups_when_labels_are_coarse(datasets_folder: Path) -> None:
    _, labels = write_cifar100(datasets_folder)
    examples = find("cifar100", labels="coarse")
    np.testing.assert_array_equal(examples.labels, labels // 5)
    assert (len(examples.class_names), examples.class_names[2]) == (20, "flowers")


@pytest.mark.usefixtures("any_fingerprint")
def test_find_puts_channels_last_when_keras_is_set_to_channels_first(datasets_folder: Path, keras: Any) -> None:
    content, _ = write_cifar100(datasets_folder)
    keras.config.set_image_data_format("channels_first")
    try:
        np.testing.assert_array_equal(find("cifar100").content, content)
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize(
    ("names", "n_names"),
    [
        (class_names.DIGITS, 10),
        (class_names.FASHION_MNIST, 10),
        (class_names.CIFAR10, 10),
        (class_names.CIFAR100_FINE, 100),
        (class_names.CIFAR100_COARSE, 20),
    ],
)
def test_class_names_are_all_there_and_different(names: tuple[str, ...], n_names: int) -> None:
    assert len(names) == len(set(names)) == n_names


def test_cifars_class_names_are_in_the_order_of_their_labels() -> None:
    for names in (class_names.CIFAR10, class_names.CIFAR100_FINE, class_names.CIFAR100_COARSE):
        assert list(names) == sorted(names)


# What is missing or broken


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("mnist", "mnist.npz"),
        ("fashion_mnist", "fashion-mnist/train-images-idx3-ubyte.gz"),
        ("cifar10", "cifar-10-batches-py-target_archive"),
        ("cifar100", "cifar-100-python-target_archive"),
    ],
)
def test_find_says_where_to_put_what_when_there_is_no_file_and_no_network(
    datasets_folder: Path, source: str, file: str
) -> None:
    with pytest.raises(DataError) as raised:
        find(source)
    message = str(raised.value)
    assert message.startswith(f"{source}: Keras could not download it (Exception: URL fetch failure on https://")
    assert f" there as {datasets_folder / file}" in message


def test_find_names_the_file_that_is_missing_when_others_are_there(datasets_folder: Path) -> None:
    write_fashion_mnist(datasets_folder)
    missing = datasets_folder / "fashion-mnist" / FASHION_FILES["test"][0]
    missing.unlink()
    with pytest.raises(DataError) as raised:
        find("fashion_mnist")
    assert str(raised.value).endswith(f"put https://{ORIGIN}/{missing.name} there as {missing}")


ORIGIN = "storage.googleapis.com/tensorflow/tf-keras-datasets"


def test_find_says_that_keras_deleted_a_damaged_file_when_its_fingerprint_is_wrong(datasets_folder: Path) -> None:
    write_mnist(datasets_folder)
    with pytest.raises(DataError, match="mnist.npz was damaged and is deleted; Keras could not download it"):
        find("mnist")
    assert not (datasets_folder / "mnist.npz").exists()


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize("damage", [cut_off, lambda path: path.write_bytes(b""), lambda path: path.write_text("no")])
def test_find_names_the_files_when_one_is_damaged(datasets_folder: Path, damage: Callable[[Path], None]) -> None:
    write_fashion_mnist(datasets_folder)
    broken = datasets_folder / "fashion-mnist" / FASHION_FILES["train"][0]
    damage(broken)
    with pytest.raises(DataError, match=r"fashion_mnist: a file is damaged \(\w+: .*\). Delete ") as raised:
        find("fashion_mnist")
    assert str(broken) in str(raised.value)


@pytest.mark.usefixtures("any_fingerprint")
def test_find_refuses_when_a_batch_brings_code_along(datasets_folder: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (datasets_folder / "attacked",)

    batch = {b"data": Attack(), b"fine_labels": [0], b"coarse_labels": [0]}
    members = {"cifar-100-python/train": batch, "cifar-100-python/test": batch}
    write_archive(datasets_folder / "cifar-100-python-target_archive", members)
    with pytest.raises(DataError, match="a file is damaged"):
        find("cifar100")
    assert not (datasets_folder / "attacked").exists()


def test_a_training_image_is_left_out_when_the_test_set_has_it_too(datasets_folder: Path) -> None:
    train, test = images(50, 28, 28), images(20, 28, 28, seed=1)
    train[7] = test[3]
    write_fashion_split(datasets_folder, "train", train, np.arange(50) % 10)
    write_fashion_split(datasets_folder, "test", test, np.arange(20) % 10)
    table = {"source": "fashion_mnist"}
    dataset = prepare(TypeAdapter(DataTable).validate_python(table), seed=1)
    assert (dataset.n_train + dataset.n_validation, dataset.n_test) == (49, 20)
    np.testing.assert_array_equal(dataset.split("test").images[..., 0], test)
    assert 1 in dataset.notes.values()
    with pytest.raises(DataError, match=r"x_train\[7\] \(train\) is x_test\[3\] \(test\)"):
        prepare(TypeAdapter(DataTable).validate_python({**table, "on_leak": "error"}), seed=1)
