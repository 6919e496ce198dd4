"""A prepared dataset as its readers see it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.sources.digits import DigitsSource


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


def test_digits_keep_the_fingerprint_that_stored_studies_know(digits: Dataset) -> None:
    assert digits.fingerprint == "a0edea0840507074"  # of seed 1, since the first release


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
    largest = np.bincount(digits.split("validation").labels).max() / digits.n_validation
    assert facts["chances"]["accuracy"]["score"] == pytest.approx(largest)
    assert facts["chances"].keys() == {"accuracy", "top_5_accuracy", "f1_macro", "precision", "recall", "auc"}


def test_chances_with_folds_are_those_of_all_validation_images(tmp_path: Path) -> None:
    np.save(tmp_path / "labels.npy", np.array([0, 0, 0, 1, 0, 1, 1, 1]))
    np.save(tmp_path / "folds.npy", np.array([0, 0, 1, 1, 2, -2]))  # the last one is always trained on
    dataset = Dataset(str(tmp_path), "npz", "0", ("clear", "fire"), (8, 8, 1), 4, 2, 2, folds=3)
    assert [dataset.class_counts("validation", fold).tolist() for fold in range(3)] == [[2, 0], [1, 1], [1, 0]]
    assert dataset.class_counts("test").tolist() == [0, 2]
    chance = dataset.facts()["chances"]["accuracy"]  # type: ignore[index]
    assert chance == {"score": 0.8, "standard_error": pytest.approx((0.8 * 0.2 / 5) ** 0.5)}


def test_a_dataset_can_be_pickled(digits: Dataset) -> None:
    assert pickle.loads(pickle.dumps(digits)) == digits


@pytest.mark.parametrize(
    ("name", "fold", "error"), [("train", 1, IndexError), ("train", -1, IndexError), ("all", 0, KeyError)]
)
def test_split_refuses_what_is_not_there(digits: Dataset, name: str, fold: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        digits.split(name, fold)


def test_folds_validate_every_search_image_once(digits: Dataset) -> None:
    dataset = prepare(DigitsSource(source="digits", folds=3), seed=1)
    assert dataset.folds == 3
    np.testing.assert_array_equal(dataset.split("test").images, digits.split("test").images)
    assert isinstance(dataset.split("test").images, np.memmap)
    validated = np.concatenate([dataset.split("validation", fold).images for fold in range(3)])
    searched = np.concatenate([digits.split("train").images, digits.split("validation").images])
    assert sorted(image.tobytes() for image in validated) == sorted(image.tobytes() for image in searched)
    for fold in range(3):
        train, validation = dataset.split("train", fold), dataset.split("validation", fold)
        assert len(train.labels) + len(validation.labels) == len(searched)
        assert not {image.tobytes() for image in train.images} & {image.tobytes() for image in validation.images}
        assert set(validation.labels.tolist()) == set(range(10))
    assert (dataset.n_train, dataset.n_validation) == (
        len(dataset.split("train").labels),
        len(dataset.split("validation").labels),
    )
