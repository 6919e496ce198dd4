"""Arrays in .npz files and from a user's own function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.arrays import examples_of_arrays
from tunefront.search.data.sources.npz import NpzSource
from tunefront.search.data.sources.own import OwnSource

X = np.random.default_rng(1).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
Y = np.arange(40) % 2
FEATURES = X.reshape(40, -1) / 255


def read(path: Path, **settings: Any) -> Dataset:
    return prepare(NpzSource.model_validate({"source": "npz", "path": str(path), **settings}), seed=1)


def saved(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def refused(folder: Path, **arrays: Any) -> str:
    path = saved(folder, **arrays)
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(path) in str(caught.value) or "data" in str(caught.value)
    return str(caught.value)


# What is read


@pytest.mark.parametrize(
    ("values", "shape", "dtype"),
    [
        (X, (6, 5, 3), np.uint8),
        (X[..., 0], (6, 5, 1), np.uint8),  # grey images get their channel
        (X.astype(np.int64), (6, 5, 3), np.uint8),
        (FEATURES, (90,), np.float32),
        (FEATURES.reshape(40, 9, 10), (9, 10), np.float32),
        (X.reshape(40, 6, 5, 3, 1) / 1, (6, 5, 3, 1), np.float32),
        (X.reshape(40, -1).astype(np.int16), (90,), np.float32),
        (X.reshape(40, -1) > 100, (90,), np.float32),
    ],
)
def test_values_of_any_rank_are_pixels_or_features(
    tmp_path: Path, values: Any, shape: tuple[int, ...], dtype: Any
) -> None:
    dataset = read(saved(tmp_path, x=values, y=Y))
    assert dataset.image_shape == shape
    split = dataset.split("train")
    assert (split.images.shape, split.images.dtype) == ((24, *shape), dtype)
    expected = {row.tobytes() for row in np.asarray(values).astype(dtype).reshape(40, -1)}
    assert {row.tobytes() for row in np.asarray(split.images).reshape(24, -1)} < expected


def test_given_arrays_are_the_splits(any_folder: Path) -> None:
    arrays = {"x_train": X[:20], "y_train": Y[:20], "x_validation": X[20:30], "y_validation": Y[20:30]}
    dataset = read(saved(any_folder, x_test=X[30:], y_test=Y[30:], **arrays))
    assert (dataset.n_train, dataset.n_validation, dataset.n_test) == (20, 10, 10)
    np.testing.assert_array_equal(dataset.split("test").images, X[30:])
    np.testing.assert_array_equal(dataset.split("test").labels, Y[30:])


@pytest.mark.parametrize(
    ("labels", "class_names", "expected"),
    [
        (Y, None, ("0", "1")),
        (Y * 4 + 3, None, ("3", "7")),
        (Y.reshape(-1, 1), None, ("0", "1")),
        (Y.astype(np.uint8), ["no", "yes"], ("no", "yes")),
        (np.array(["b", "a"])[Y], None, ("a", "b")),
        (np.array(["b", "a"])[Y], ["b", "a"], ("b", "a")),
        (Y == 1, None, ("False", "True")),
    ],
)
def test_labels_are_numbers_or_texts(
    tmp_path: Path, labels: Any, class_names: list[str] | None, expected: tuple[str, ...]
) -> None:
    names = {} if class_names is None else {"class_names": np.array(class_names)}
    dataset = read(saved(tmp_path, x=X, y=labels, **names))
    assert dataset.class_names == expected
    row = np.flatnonzero((dataset.split("test").images[0] == X).all(axis=(1, 2, 3)))[0]
    assert expected[dataset.split("test").labels[0]] == (
        str(class_names[labels[row]]) if class_names and labels.dtype.kind != "U" else str(labels.reshape(-1)[row])
    )


# What is refused


def _with(values: Any, place: Any, value: Any) -> Any:
    changed = np.array(values)
    changed[place] = value
    return changed


@pytest.mark.parametrize(
    ("arrays", "fragments"),
    [
        ({}, ["needs arrays x and y", "no arrays"]),
        ({"data": X, "target": Y}, ["needs arrays x and y, or x_train", "data, target"]),
        ({"x": X}, ["has x, but not its labels y"]),
        ({"x_test": X, "y_test": Y}, ["needs arrays x and y, or x_train"]),
        ({"x": X, "y": Y, "x_train": X, "y_train": Y}, ["x beside x_train"]),
        ({"x": X, "y": Y[:-1]}, ["40 values and 39 labels"]),
        ({"x": X, "y": Y / 1}, ["labels are of type float64", "whole numbers"]),
        ({"x": X, "y": np.eye(2)[Y]}, ["labels have shape (40, 2)", "argmax"]),
        ({"x": X, "y": Y * 0}, ["one class only (0)"]),
        ({"x": X, "y": Y, "class_names": np.array(["a"])}, ["1 class_names, but a label 1"]),
        ({"x": X, "y": Y, "class_names": np.array(["a", "a"])}, ["has a name twice"]),
        ({"x": X, "y": Y, "class_names": np.array(["a", "b", "c"])}, ["the class 'c' has no example"]),
        ({"x": np.array([["a"]] * 40), "y": Y}, ["values of type <U1", "give numbers"]),
        ({"x": FEATURES * 1j, "y": Y}, ["values of type complex128"]),
        ({"x": np.array([{}] * 40), "y": Y}, ["arrays of objects"]),
        ({"x": FEATURES[:, 0], "y": Y}, ["x has shape (40,)"]),
        ({"x": X[:0], "y": Y[:0]}, ["x has shape (0, 6, 5, 3)"]),
        ({"x": _with(FEATURES, (17, 3), np.nan), "y": Y}, ["x[17, 3] is nan, and 1 of all values"]),
        ({"x": _with(FEATURES, (17, 3), -np.inf), "y": Y}, ["x[17, 3] is -inf"]),
        ({"x": _with(FEATURES, (17, 3), 1e300), "y": Y}, ["x[17, 3] is inf", "no finite float32"]),
        ({"x_train": X, "y_train": Y, "x_test": X[:, :5], "y_test": Y}, ["x_train (6, 5, 3), x_test (5, 5, 3)"]),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(tmp_path: Path, arrays: Any, fragments: list[str]) -> None:
    message = refused(tmp_path, **arrays)
    for fragment in fragments:
        assert fragment in message


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"", "cannot be read as a .npz file .it is empty"),
        (b"hello", "cannot be read as a .npz file"),
        (b"PK\x03\x04 cut", "cannot be read"),
    ],
)
def test_files_that_are_no_npz_are_refused(tmp_path: Path, content: bytes, fragment: str) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=fragment) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_one_bare_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "data.npy", X)
    with pytest.raises(DataError, match="is one array: write a .npz"):
        read(tmp_path / "data.npy")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file .*none.npz"):
        read(tmp_path / "none.npz")


# A user's own function

OWN = """
import numpy as np
X = np.arange(40 * 7, dtype=np.float64).reshape(40, 7)
Y = np.arange(40) % 2
def two(): return X, Y
def three(): return X, Y, ["no", "yes"]
def lists(): return X.tolist(), Y.tolist()
def one(): return X
def wrong(): raise KeyError("nothing here")
def short(): return X, Y[:3]
number = 3
"""


def own(folder: Path, name: str) -> Dataset:
    (folder / "own.py").write_text(OWN)
    return prepare(OwnSource(source="own", object=f"{folder / 'own.py'}:{name}"), seed=1)


@pytest.mark.parametrize(
    ("name", "class_names"), [("two", ("0", "1")), ("three", ("no", "yes")), ("lists", ("0", "1"))]
)
def test_own_takes_what_a_function_returns(any_folder: Path, name: str, class_names: tuple[str, ...]) -> None:
    dataset = own(any_folder, name)
    assert (dataset.source, dataset.class_names, dataset.image_shape) == ("own", class_names, (7,))
    assert dataset.split("train").images.dtype == np.float32


@pytest.mark.parametrize(
    ("name", "fragments"),
    [
        ("non", ["data.object", "no 'non'"]),
        ("number", ["data.object", "is 3: name a function"]),
        ("one", ["returned ndarray", "(values, labels, class_names)"]),
        ("wrong", ["raised KeyError", "nothing here"]),
        ("short", ["40 values and 3 labels"]),
    ],
)
def test_own_is_refused_when_it_gives_no_data(tmp_path: Path, name: str, fragments: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        own(tmp_path, name)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_own_is_refused_when_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="data.object: there is no file"):
        prepare(OwnSource(source="own", object=f"{tmp_path / 'none.py'}:load"), seed=1)


def test_class_names_have_no_white_space_around_them_and_are_then_one() -> None:
    from tunefront.search.data.classes import with_classes
    from tunefront.search.data.sources.arrays import examples_of_arrays

    found = examples_of_arrays("x", [(None, "x", np.zeros((4, 2)), np.array(["cat ", "dog", "cat", " ant"]))])
    tidy = with_classes(found, [])
    assert list(tidy.class_names) == ["ant", "cat", "dog"]
    assert [tidy.class_names[label] for label in tidy.labels] == ["cat", "dog", "cat", "ant"]
    assert list(with_classes(found, ["dog ", "cat"]).class_names) == ["dog", "cat"]


@pytest.mark.parametrize("kind", ["texts", "categories", "objects"])
def test_labels_of_pandas_are_texts(tmp_path: Path, kind: str) -> None:
    import pandas as pd

    texts = pd.Series(["no", "yes"] * 10)
    labels = {"texts": texts, "categories": texts.astype("category"), "objects": texts.to_numpy(dtype=object)}[kind]
    values = np.arange(20 * 4, dtype=np.float32).reshape(20, 4)
    found = examples_of_arrays("mine", [(None, "values", values, labels)])
    assert found.class_names == ["no", "yes"]
    assert found.labels.tolist() == [0, 1] * 10


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (
            np.array(["a", None, "b"], dtype=object),
            r"of type object: give .*, such as labels.astype\(str\)",
        ),
        (np.array([0.5, 1.5, 2.5]), "of type float64: give whole numbers or texts"),
        (["a", " ", "b"], "label 1 is an empty text"),
    ],
)
def test_other_labels_are_refused(labels: Any, expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        examples_of_arrays("mine", [(None, "values", np.zeros((3, 4), np.float32), labels)])
