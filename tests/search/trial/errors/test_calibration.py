"""The bins of a reliability diagram, against scikit-learn's and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from tunefront.search.trial.errors.calibration import reliability_bins


@pytest.mark.parametrize(("n", "n_classes", "digits"), [(100, 2, 7), (359, 10, 7), (1003, 3, 7), (500, 4, 1)])
def test_bins_are_scikit_learns(n: int, n_classes: int, digits: int) -> None:
    """With one digit most confidences are equal to others, and lie on the edges of bins."""
    random = np.random.default_rng(n)
    labels = random.integers(n_classes, size=n)
    probabilities = random.dirichlet(np.ones(n_classes), n) + 0.4 * np.eye(n_classes)[labels]
    probabilities = (probabilities / probabilities.sum(axis=1, keepdims=True)).round(digits).astype(np.float32)
    confidences = probabilities.max(axis=1).astype(np.float64)
    is_right = probabilities.argmax(axis=1) == labels
    shares, means = calibration_curve(is_right, confidences, n_bins=10, strategy="quantile")
    bins = reliability_bins(labels, probabilities)
    assert [n_right / n for n, n_right, _ in bins] == pytest.approx(shares)
    assert [mean for _, _, mean in bins] == pytest.approx(means)
    assert sum(n for n, _, _ in bins) == n
    if digits == 7:
        assert {n // 10 - 1, n // 10, n // 10 + 1} >= {n for n, _, _ in bins}  # equal counts


def two_classes(confidences: list[float], n_right: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities of a model that says class 0, rightly so for the first ones."""
    labels = np.array([0] * n_right + [1] * (len(confidences) - n_right))
    return labels, np.array([[value, 1 - value] for value in confidences], dtype=np.float32)


def test_ties_stay_in_one_bin_whatever_their_order() -> None:
    # The deciles of five times 0.6 and five times 0.9 are 0.6 four times, 0.75, and 0.9 four times. A value belongs to
    # the bin whose upper edge it is.
    labels, probabilities = two_classes([0.6] * 5 + [0.9] * 5, n_right=8)
    expected = [[5, 5, pytest.approx(0.6)], [5, 3, pytest.approx(0.9)]]
    assert reliability_bins(labels, probabilities) == expected
    order = np.random.default_rng(0).permutation(10)
    assert reliability_bins(labels[order], probabilities[order]) == expected


def test_a_saturated_network_has_one_bin() -> None:
    labels, probabilities = two_classes([1.0] * 200, n_right=150)
    assert reliability_bins(labels, probabilities) == [[200, 150, 1.0]]


def test_half_precision_is_not_what_is_binned() -> None:
    """In float16 both confidences would be 1."""
    labels, probabilities = two_classes([0.9999] * 5 + [0.99999] * 5, n_right=5)
    assert [bin_[0] for bin_ in reliability_bins(labels, probabilities)] == [5, 5]
    assert [bin_[0] for bin_ in reliability_bins(labels, probabilities.astype(np.float16))] == [10]


def test_what_is_not_finite_has_no_bins() -> None:
    labels, probabilities = two_classes([0.5, float("nan")], n_right=1)
    assert reliability_bins(labels, probabilities) == []
