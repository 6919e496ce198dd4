"""Splits by time, against scikit-learn's TimeSeriesSplit and by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import TimeSeriesSplit

from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.npz import NpzSource


def dataset(folder: Path, n: int, labels: Sequence[Any] | None = None, **keys: Any) -> Dataset:
    """Prepare `n` examples whose one value is their place in time; labels are the same, unless they are given."""
    places = np.arange(n, dtype=np.float32)
    np.savez(folder / "mine.npz", x=places[:, np.newaxis], y=places if labels is None else labels)
    task = "regression" if labels is None else "classification"
    return prepare(NpzSource(source="npz", path=str(folder / "mine.npz"), split="time", task=task, **keys), seed=1)


def places_of(found: Dataset, split: str, fold: int = 0) -> list[int]:
    values = found.split(split, fold)
    if found.task == "regression":
        assert values.labels.tolist() == values.images[:, 0].tolist()  # labels and values stay together
        assert found.numbers(split, fold).tolist() == values.labels.tolist()
    return [int(place) for place in values.images[:, 0]]


@pytest.mark.parametrize(
    ("gap", "train", "validation", "test"),
    [(0, range(14), range(14, 18), range(18, 23)), (2, range(10), range(12, 16), range(18, 23))],
)
def test_training_lies_before_validation_and_validation_before_the_test(
    tmp_path: Path, gap: int, train: range, validation: range, test: range
) -> None:
    found = dataset(tmp_path, 23, validation_fraction=0.17, test_fraction=0.22, gap=gap)
    assert places_of(found, "train") == list(train)
    assert places_of(found, "validation") == list(validation)
    assert places_of(found, "test") == list(test)
    assert (found.split_by, found.gap) == ("time", gap)
    left_out = {"examples at the borders were left out, as gap says": 2 * gap} if gap else {}
    assert dict(found.notes) == left_out


@pytest.mark.parametrize("n", [23, 24, 31])
@pytest.mark.parametrize(("folds", "gap"), [(2, 0), (4, 0), (3, 2)])
def test_folds_are_those_of_scikit_learn(tmp_path: Path, n: int, folds: int, gap: int) -> None:
    found = dataset(tmp_path, n, folds=folds, test_fraction=0, gap=gap)
    expected = list(TimeSeriesSplit(folds, gap=gap).split(np.arange(n)))
    assert len(expected) == folds
    for fold, (train, validation) in enumerate(expected):
        assert places_of(found, "train", fold) == train.tolist()
        assert places_of(found, "validation", fold) == validation.tolist()
    assert (found.n_train, found.n_validation, found.n_test) == (len(expected[0][0]), len(expected[0][1]), 0)


def test_folds_lie_before_the_test_and_its_gap(tmp_path: Path) -> None:
    found = dataset(tmp_path, 30, folds=3, test_fraction=0.2, gap=3)
    assert places_of(found, "test") == list(range(24, 30))
    for fold, (train, validation) in enumerate(TimeSeriesSplit(3, gap=3).split(np.arange(21))):
        assert places_of(found, "train", fold) == train.tolist()
        assert places_of(found, "validation", fold) == validation.tolist()
    assert found.n_search == 21
    assert dict(found.notes) == {
        "examples at the borders were left out, as gap says": 3,
        "examples before the block that validates are not trained on in each fold, as gap says": 3,
    }
    assert (
        prepare(
            NpzSource(source="npz", path=str(tmp_path / "mine.npz"), split="time", task="regression", folds=3, gap=3),
            seed=2,
        ).fingerprint
        == found.fingerprint
    )  # no seed divides


@pytest.mark.parametrize("width", [1, 4])
def test_no_window_crosses_a_border_with_a_gap_of_its_width_less_one(tmp_path: Path, width: int) -> None:
    """A window that starts at a place reaches `width` steps on, with a label at its last one."""
    found = dataset(tmp_path, 40, gap=width - 1)
    steps = [
        {step for place in places_of(found, split) for step in range(place, place + width)}
        for split in ("train", "validation", "test")
    ]
    assert not steps[0] & steps[1]
    assert not steps[1] & steps[2]


def test_a_given_test_split_stays_and_validation_is_cut_off_the_end_of_training(tmp_path: Path) -> None:
    places = np.arange(12, dtype=np.float32)
    arrays = {
        "x_test": places[9:, np.newaxis],
        "y_test": places[9:],
        "x_train": places[:9, np.newaxis],
        "y_train": places[:9],
    }
    np.savez(tmp_path / "mine.npz", **arrays)
    source = NpzSource(source="npz", path=str(tmp_path / "mine.npz"), split="time", task="regression", gap=1)
    found = prepare(source, seed=1)
    assert [places_of(found, split) for split in ("train", "validation", "test")] == [
        list(range(6)),
        [7, 8],
        [9, 10, 11],
    ]


@pytest.mark.parametrize(
    ("n", "keys", "fragments"),
    [
        (10, {"gap": 4}, ["4 examples are too few", "2 for validation", "gap = 4", "smaller gap"]),
        (9, {"folds": 9, "test_fraction": 0.0}, ["data.folds = 9", "10 blocks of 0", "fewer folds"]),
        (9, {"folds": 2, "test_fraction": 0.0, "gap": 3}, ["gap = 3", "leaves 0 to train on"]),
        (4, {"test_fraction": 0.1}, ["0 for test", "test_fraction"]),
    ],
)
def test_too_few_examples_are_named_with_the_remedy(
    tmp_path: Path, n: int, keys: dict[str, Any], fragments: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        dataset(tmp_path, n, **keys)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_classes_are_divided_by_time_too_and_one_that_a_split_lacks_is_noted(tmp_path: Path) -> None:
    found = dataset(tmp_path, 20, ["calm", "wild"] * 6 + ["calm"] * 8)
    assert places_of(found, "validation") == [12, 13, 14, 15]
    assert found.class_counts("validation").tolist() == [4, 0]
    assert dict(found.notes) == {
        "classes have no example in the validation split, which time has cut: wild": 1,
        "classes have no example in the test split, which time has cut: wild": 1,
    }


def test_a_class_that_comes_only_after_training_is_refused_or_left_out(tmp_path: Path) -> None:
    labels = ["calm", "wild"] * 6 + ["calm", "new"] * 4
    with pytest.raises(DataError, match="'new'"):
        dataset(tmp_path, 20, labels)
    found = dataset(tmp_path, 20, labels, rare_classes="drop")
    assert found.class_names == ("calm", "wild")
    assert places_of(found, "validation") == [12, 14]


def test_copies_stay_at_their_time_and_are_noted(tmp_path: Path) -> None:
    values = np.arange(20, dtype=np.float32)
    values[19] = values[3]
    np.savez(tmp_path / "mine.npz", x=values[:, np.newaxis], y=np.arange(20.0))
    source = NpzSource(source="npz", path=str(tmp_path / "mine.npz"), split="time", task="regression")
    found = prepare(source, seed=1)
    assert found.split("test").labels.tolist() == [16, 17, 18, 19]
    assert found.notes["examples are exact copies of others on another side of a border, and stay at their time"] == 2
    assert found.notes["examples have the content of another one, but not its number"] == 2
