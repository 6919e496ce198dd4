from __future__ import annotations

import numpy as np
import pytest

from tunefront.search.models.calibration import calibration_rows


def test_each_class_has_its_share_when_there_are_more_images_than_wanted() -> None:
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    rows = calibration_rows(labels, seed=4)
    assert len(set(rows.tolist())) == 200
    assert np.bincount(labels[rows]).tolist() == [120, 60, 20]
    assert rows.tolist() == sorted(rows.tolist())


def test_what_rounding_leaves_over_goes_to_the_largest_remainders() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 20])  # of 7 images: shares of 3.5, 2.1 and 1.4
    assert np.bincount(labels[calibration_rows(labels, seed=0, n_images=7)]).tolist() == [4, 2, 1]


def test_a_rare_class_has_an_image() -> None:
    labels = np.repeat([0, 1], [999, 1])
    assert np.bincount(labels[calibration_rows(labels, seed=0, n_images=10)]).tolist() == [9, 1]


def test_all_images_are_used_when_there_are_few() -> None:
    assert calibration_rows(np.array([1, 0, 1]), seed=0).tolist() == [0, 1, 2]


def test_rows_follow_the_seed_alone() -> None:
    labels = np.repeat([0, 1], 500)
    one, same, other = (calibration_rows(labels, seed).tolist() for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_labels_that_are_numbers_are_drawn_from_as_one_class() -> None:
    labels = np.linspace(0.0, 1.0, 1000)
    rows = calibration_rows(labels, seed=3)
    assert len(set(rows.tolist())) == 200
    assert 0.4 < labels[rows].mean() < 0.6


@pytest.mark.parametrize("n_images", [5, 3])
def test_rows_are_as_many_as_wanted_when_there_are_more_classes(n_images: int) -> None:
    rows = calibration_rows(np.repeat(np.arange(10), 4), seed=0, n_images=n_images)
    assert len(rows) == n_images
