"""Stratified splits and folds of labels."""

from __future__ import annotations

import numpy as np
import pytest

from tunefront.search.data.examples import DataError
from tunefront.search.data.splitting.splits import TEST, TRAIN, VALIDATION, Shares, divide, seats


def labels_of(n_per_class: int = 50, n_classes: int = 4) -> np.ndarray:
    labels = np.repeat(np.arange(n_classes), n_per_class)
    return np.random.default_rng(1).permutation(labels)


def stratified(labels: np.ndarray, validation: float, test: float, seed: int) -> dict[str, np.ndarray]:
    """Return the sorted row numbers of each split."""
    parts = divide(labels, Shares(validation, test), seed)
    names = (("train", TRAIN), ("validation", VALIDATION), ("test", TEST))
    return {name: np.flatnonzero(parts == part) for name, part in names}


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


# Few examples: one of each class first


@pytest.mark.parametrize(
    ("counts", "n_wanted", "n_needed", "expected"),
    [
        ([10, 10], 4, 2, [2, 2]),
        ([10, 10], 5, 2, [3, 2]),  # a remainder goes to the first of equals
        ([80, 10, 10], 20, 2, [16, 2, 2]),
        ([90, 3, 3, 4], 20, 2, [17, 1, 1, 1]),  # the large class gives up what the small ones are ahead
        ([3, 3, 3, 3], 1, 2, [1, 1, 1, 1]),  # more classes than were wanted
        ([3, 2, 1], 2, 2, [1, 0, 0]),  # of two, one is trained on and one validates
        ([3, 2, 1], 2, 1, [1, 1, 0]),
        ([4, 4], 7, 2, [2, 2]),  # no more than leaves what is needed
        ([6, 3], 4, 5, [1, 1]),  # five folds need five; of three, two folds get one each
    ],
)
def test_seats_are_one_for_each_class_and_then_by_shares(
    counts: list[int], n_wanted: int, n_needed: int, expected: list[int]
) -> None:
    assert seats(np.array(counts), n_wanted, n_needed).tolist() == expected


def test_many_small_classes_are_all_in_every_split() -> None:
    counts = np.random.default_rng(0).integers(3, 7, 487)
    labels = np.repeat(np.arange(487), counts)
    parts = divide(labels, Shares(0.2, 0.2), seed=1)
    for part in (TRAIN, VALIDATION, TEST):
        assert len(np.unique(labels[parts == part])) == 487
    for count in (3, 4, 5, 6):  # classes of one size are treated alike, but for rounding
        n_of_each = np.bincount(labels[parts == VALIDATION])[counts == count]
        assert n_of_each.max() - n_of_each.min() <= 1


def test_one_large_class_and_thousands_of_small_ones_keep_the_shares() -> None:
    """The class sizes are like those of the humpback whale photographs: most have one or two, one has thousands."""
    sizes = np.concatenate([[9664], np.ones(2073, int), np.full(1285, 2), np.full(568, 3), np.full(1078, 10)])
    labels = np.repeat(np.arange(len(sizes)), sizes)
    parts = divide(labels, Shares(0.2, 0.2), seed=1)
    assert [round(float((parts == part).mean()), 3) for part in (TRAIN, VALIDATION, TEST)] == [0.6, 0.2, 0.2]
    validated, tested = (set(labels[parts == part].tolist()) for part in (VALIDATION, TEST))
    assert validated == set(np.flatnonzero(sizes >= 2).tolist())
    assert tested == set(np.flatnonzero(sizes >= 3).tolist())
    largest = float((labels[parts == VALIDATION] == 0).mean())
    assert largest < 9664 / sizes.sum()  # a constant answer scores no more than its share of all
    trained = set(labels[parts == TRAIN].tolist())
    assert trained == set(range(len(sizes)))


@pytest.mark.parametrize(
    ("labels", "validation", "test", "expected"),
    [([0, 1] * 20, 0.01, 0.2, (30, 2, 8)), ([0, 1] * 20, 0.2, 0.01, (30, 8, 2)), ([0, 1] * 2, 0.2, 0.2, (2, 2, 0))],
)
def test_a_share_of_less_than_one_of_each_class_is_one_of_each(
    labels: list[int], validation: float, test: float, expected: tuple[int, int, int]
) -> None:
    parts = divide(np.array(labels), Shares(validation, test), seed=1)
    assert tuple(int((parts == part).sum()) for part in (TRAIN, VALIDATION, TEST)) == expected


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
