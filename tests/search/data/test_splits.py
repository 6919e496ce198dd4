"""Stratified splits and folds of labels."""

from __future__ import annotations

import numpy as np
import pytest

from search.data import DataError
from search.data.splits import TEST, Shares, divide, stratified


def labels_of(n_per_class: int = 50, n_classes: int = 4) -> np.ndarray:
    labels = np.repeat(np.arange(n_classes), n_per_class)
    return np.random.default_rng(1).permutation(labels)


@pytest.mark.parametrize(("validation", "test"), [(0.2, 0.2), (0.1, 0.3), (0.5, 0.1)])
def test_stratified_splits_every_class_in_the_same_share(validation: float, test: float) -> None:
    labels = labels_of()
    rows = stratified(labels, validation, test, seed=1)
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    for name, share in shares.items():
        assert np.bincount(labels[rows[name]]).tolist() == [round(50 * share)] * 4


def test_stratified_splits_are_disjoint_and_leave_nothing_out() -> None:
    rows = stratified(labels_of(), 0.2, 0.2, seed=1)
    together = np.concatenate([rows["train"], rows["validation"], rows["test"]])
    assert np.sort(together).tolist() == list(range(200))
    assert all((np.diff(numbers) > 0).all() for numbers in rows.values())  # sorted


def test_stratified_splits_depend_on_the_seed_alone() -> None:
    first, again, other = (stratified(labels_of(), 0.2, 0.2, seed) for seed in (1, 1, 2))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    assert first["test"].tolist() != other["test"].tolist()


def test_stratified_keeps_the_test_split_when_the_validation_share_changes() -> None:
    one = stratified(labels_of(), 0.2, 0.2, seed=1)
    other = stratified(labels_of(), 0.4, 0.2, seed=1)
    np.testing.assert_array_equal(one["test"], other["test"])


def test_stratified_gives_the_rows_of_scikit_learn() -> None:
    from sklearn.model_selection import train_test_split

    labels = labels_of()
    rest, test = train_test_split(np.arange(200), test_size=40, stratify=labels, random_state=7)
    train, validation = train_test_split(rest, test_size=40, stratify=labels[rest], random_state=7)
    rows = stratified(labels, 0.2, 0.2, seed=7)
    assert [rows[name].tolist() for name in ("train", "validation", "test")] == [
        sorted(part.tolist()) for part in (train, validation, test)
    ]


@pytest.mark.parametrize(
    ("labels", "validation", "test", "fragments"),
    [
        ([0, 1] * 20, 0.01, 0.2, ["validation_fraction = 0.01 takes 0 of 32"]),
        ([0, 1] * 20, 0.2, 0.01, ["test_fraction = 0.01 takes 0 of 40", "2 classes"]),
        ([0, 1] * 2, 0.2, 0.2, ["test_fraction = 0.2 takes 1 of 4"]),
        ([0, 1], 0.5, 0.4, ["test_fraction = 0.4"]),
    ],
)
def test_stratified_refuses_a_split_of_fewer_examples_than_classes(
    labels: list[int], validation: float, test: float, fragments: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        stratified(np.array(labels), validation, test, seed=1)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_divide_gives_every_class_to_every_fold() -> None:
    labels = labels_of()
    parts = divide(labels, Shares(0.2, 0.2, folds=4), seed=1)
    assert np.bincount(labels[parts == TEST]).tolist() == [10] * 4
    for fold in range(4):
        assert np.bincount(labels[parts == fold]).tolist() == [10] * 4


def test_divide_keeps_the_test_split_when_there_are_folds() -> None:
    folds, plain = (divide(labels_of(), Shares(0.2, 0.2, n), seed=1) for n in (5, 0))
    np.testing.assert_array_equal(folds == TEST, plain == TEST)


def test_divide_refuses_more_folds_than_examples() -> None:
    with pytest.raises(DataError, match="data.folds = 9 needs 9 examples"):
        divide(labels_of(5), Shares(0, 0.2, folds=9), seed=1)


def test_divide_without_shares_keeps_everything_for_training() -> None:
    assert divide(labels_of(), Shares(0, 0), seed=1).tolist() == [0] * 200
