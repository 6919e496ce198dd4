"""Groups of examples that are never on both sides of a split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.search.data.pictures import picture
from tunefront.search.data.cache import prepare
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.table import TableSource
from tunefront.search.data.splitting.group_splits import divide_groups, joined
from tunefront.search.data.splitting.splits import TEST, TRAIN, TRAIN_IN_EVERY_FOLD, VALIDATION, Shares


def patients(n_patients: int, n_classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and groups of patients with 1 to 12 images each, mostly of one class."""
    draws = np.random.default_rng(seed)
    sizes = draws.integers(1, 13, n_patients)
    groups = np.repeat(np.arange(n_patients), sizes)
    labels = np.where(draws.random(len(groups)) < 0.9, groups % n_classes, draws.integers(0, n_classes, len(groups)))
    return labels, groups


@pytest.mark.parametrize("shares", [Shares(0.2, 0.2), Shares(0.3, 0.1), Shares(0.2, 0), Shares(0, 0.2, folds=4)])
@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_together_and_shares_hold(shares: Shares, seed: int) -> None:
    labels, groups = patients(80, n_classes=3, seed=seed)
    parts = divide_groups(labels, groups, shares, seed)
    assert all(len(np.unique(parts[groups == group])) == 1 for group in np.unique(groups))
    assert set(parts.tolist()) == set(shares.parts)
    expected = {TEST: shares.test, VALIDATION: shares.validation}
    for part in shares.parts:
        share = expected.get(part, 1 - shares.test - shares.validation)
        share = (1 - shares.test) / shares.folds if shares.folds and part != TEST else share
        assert float((parts == part).mean()) == pytest.approx(share, abs=0.04)
        for label in range(3):  # classes too, as far as whole groups allow
            assert float((parts[labels == label] == part).mean()) == pytest.approx(share, abs=0.08)


def test_division_depends_on_the_seed_alone() -> None:
    labels, groups = patients(40)
    one, again, other = (divide_groups(labels, groups, Shares(0.2, 0.2), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_a_class_of_one_group_is_trained_on() -> None:
    labels, groups = np.array([0, 1] * 10 + [2] * 5), np.array([*np.repeat(np.arange(10), 2), *[10] * 5])
    assert set(divide_groups(labels, groups, Shares(0.2, 0.2), 1)[20:].tolist()) == {TRAIN}
    assert set(divide_groups(labels, groups, Shares(0, 0.2, folds=3), 1)[20:].tolist()) == {TRAIN_IN_EVERY_FOLD}


def test_too_few_groups_are_refused_with_their_count() -> None:
    with pytest.raises(DataError, match="the test split gets no group: there are 2 groups for 3 splits"):
        divide_groups(np.array([0, 1, 0, 1]), np.array([5, 5, 9, 9]), Shares(0.2, 0.2), 1)


def test_every_split_has_a_group_where_one_group_is_large() -> None:
    labels = np.array([0, 1] * 50 + [0, 1, 0, 1])
    groups = np.array([0] * 100 + [1, 1, 2, 2])
    parts = divide_groups(labels, groups, Shares(0.2, 0.2), 1)
    assert set(parts.tolist()) == {TRAIN, VALIDATION, TEST}


def test_each_class_of_two_groups_is_trained_and_validated() -> None:
    # There are four groups of 20, two of each class. The test split would get none, so it is refused with a remedy.
    labels, groups = np.repeat([0, 0, 1, 1], 20), np.repeat([0, 1, 2, 3], 20)
    parts = divide_groups(labels, groups, Shares(0.3, 0), 1)
    assert {(label, part) for label, part in zip(labels.tolist(), parts.tolist(), strict=True)} == {
        (label, part) for label in (0, 1) for part in (TRAIN, VALIDATION)
    }
    with pytest.raises(DataError, match="the test split gets no group: there are 4 groups for 3 splits.*test_fraction"):
        divide_groups(labels, groups, Shares(0.2, 0.2), 1)


@pytest.mark.parametrize("shares", [Shares(0.2, 0.2), Shares(0.3, 0), Shares(0, 0.2, folds=3), Shares(0, 0, folds=5)])
@pytest.mark.parametrize("n_classes_of_a_group", [1, 3])
def test_no_split_is_empty_and_every_class_is_trained(shares: Shares, n_classes_of_a_group: int) -> None:
    n_refused = 0
    for seed in range(150):
        draws = np.random.default_rng(seed)
        rows = [
            (label, group)
            for group in range(int(draws.integers(2, 25)))
            for label in draws.integers(0, 4, int(draws.integers(1, n_classes_of_a_group + 1)))
            for _ in range(int(draws.integers(1, 12)))
        ]
        labels, groups = np.array(rows).T
        labels = np.unique(labels, return_inverse=True)[1]
        try:
            parts = divide_groups(labels, groups, shares, seed)
        except DataError:
            n_refused += 1
            assert len(np.unique(groups)) <= 2 * len(shares.parts) + 8
            continue
        assert set(shares.parts) <= set(parts.tolist())
        assert all(len(np.unique(parts[groups == group])) == 1 for group in np.unique(groups))
        for label in np.unique(labels):
            found = set(parts[labels == label].tolist())
            # Whichever fold validates, the class is in another fold or always in training.
            assert TRAIN_IN_EVERY_FOLD in found or len(found - {TEST}) > 1 if shares.folds else TRAIN in found
            n_groups = len(np.unique(groups[labels == label]))
            if n_classes_of_a_group == 1 and not shares.folds:
                assert len(found) >= min(n_groups, len(shares.parts))
    assert n_refused < 75


def test_too_few_groups_of_a_class_are_told_as_groups(tmp_path: Path) -> None:
    lines = ["file,patient,class"]
    for number in range(40):
        picture(tmp_path / f"{number}.png", number)
        lines.append(f"{number}.png,p{number // 20 * 2 + number % 2},{'ab'[number // 20]}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    table_of = {"source": "table", "path": str(tmp_path / "labels.csv"), "group_column": "patient"}
    with pytest.raises(DataError) as caught:
        prepare(TableSource.model_validate(table_of), seed=1)
    assert "2 classes have too few groups to be in each of 3 splits" in str(caught.value)
    assert "test_fraction = 0" in str(caught.value)
    assert "\n  a: 2\n  b: 2" in str(caught.value)
    dataset = prepare(TableSource.model_validate({**table_of, "test_fraction": 0.0}), seed=1)
    assert dataset.class_counts("train").tolist() == dataset.class_counts("validation").tolist() == [10, 10]


def test_groups_that_share_a_content_are_one() -> None:
    # anna and bert share content 1, bert and cleo content 2; dora stands alone
    found = joined(np.array([0, 1, 1, 2, 2, 3]), ["anna", "anna", "bert", "bert", "cleo", "dora"])
    assert len(set(found[:5].tolist())) == 1
    assert found[5] != found[0]


def table(folder: Path, splits: str = "") -> Path:
    lines = ["file,patient,class" + (",split" if splits else "")]
    for number in range(36):
        picture(folder / f"{number}.png", number)
        split = f",{('train', 'test')[number % 2]}" if splits else ""
        lines.append(f"{number}.png,p{number // 3},{('cat', 'dog')[number // 3 % 2]}{split}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder / "labels.csv"


@pytest.mark.parametrize("folds", [0, 3])
def test_a_table_names_its_groups(tmp_path: Path, folds: int) -> None:
    source = TableSource(source="table", path=str(table(tmp_path)), group_column="patient", folds=folds)
    dataset = prepare(source, seed=1)
    images = {tuple(np.asarray(image).ravel().tolist()): row // 3 for row, image in enumerate(_pixels(tmp_path))}
    for fold in range(max(folds, 1)):
        sides = [
            {images[tuple(np.asarray(image).ravel().tolist())] for image in dataset.split(name, fold).images}
            for name in ("train", "validation", "test")
        ]
        assert sum(map(len, sides)) == len(set.union(*sides))
        assert len(set.union(*sides)) == 12


def _pixels(folder: Path) -> list[np.ndarray]:
    from PIL import Image

    return [np.asarray(Image.open(folder / f"{number}.png")) for number in range(36)]


def test_a_group_in_two_given_splits_is_refused(tmp_path: Path) -> None:
    source = TableSource(
        source="table", path=str(table(tmp_path, splits="x")), group_column="patient", split_column="split"
    )
    with pytest.raises(DataError, match=r"12 groups are in several of the given splits.*\n  p0: test, train"):
        prepare(source, seed=1)
