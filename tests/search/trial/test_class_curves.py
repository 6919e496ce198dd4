"""Curves of each class against the rest, held against scikit-learn's."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from tunefront.search.trial.class_curves import class_curves

CLOSE = 0.0021  # the promised 0.002, and the rounding to four digits


def network(kind: str, n: int, shares: list[float], seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return labels and probabilities of a network that is ``fine``, ``tied`` or ``saturated``."""
    random = np.random.default_rng(seed)
    k = len(shares)
    labels = random.choice(k, size=n, p=shares)
    probabilities = random.dirichlet(np.ones(k), n) + 0.5 * np.eye(k)[labels]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    if kind == "tied":
        probabilities = probabilities.round(1)
    if kind == "saturated":
        probabilities = np.eye(k)[probabilities.argmax(axis=1)]
    return labels, probabilities.astype(np.float32)


def distance(points: NDArray[np.float64], line: list[list[float]]) -> float:
    """Return how far the farthest of some points is from a polyline, which is sampled finely."""
    corners = np.array(line).T
    places = np.linspace(0, 1, 400)[:, np.newaxis]
    sampled = [first + places * (last - first) for first, last in pairwise(corners)]
    return float(cKDTree(np.concatenate(sampled)).query(points)[0].max())


def corners(is_class: NDArray[np.bool_], scores: NDArray[Any]) -> NDArray[np.float64]:
    """Return the corners of the steps as scikit-learn draws them (steps-post), without its invented last point."""
    precision, recall, _ = precision_recall_curve(is_class, scores)
    precision, recall = precision[:-1], recall[:-1]
    return np.column_stack([[*recall, *recall[1:]], [*precision, *precision[:-1]]])


@pytest.mark.parametrize("kind", ["fine", "tied", "saturated"])
@pytest.mark.parametrize(
    ("n", "shares", "positive_class"),
    [(60, [0.5, 0.5], 1), (3000, [0.9, 0.1], 0), (3000, [0.9, 0.1], 1), (500, [0.7, 0.2, 0.1, 0.0], 1)],
)
def test_curves_are_those_of_scikit_learn(kind: str, n: int, shares: list[float], positive_class: int) -> None:
    labels, probabilities = network(kind, n, shares)
    found = class_curves(labels, probabilities, positive_class)
    classes = [positive_class] if len(shares) == 2 else [0, 1, 2]  # the last of four classes does not occur
    assert list(found) == [str(number) for number in classes]
    for number in classes:
        curve, is_class, scores = found[str(number)], labels == number, probabilities[:, number]
        assert curve["auc"] == pytest.approx(roc_auc_score(is_class, scores), abs=1e-12)
        assert curve["average_precision"] == pytest.approx(average_precision_score(is_class, scores), abs=1e-12)
        false, true, _ = roc_curve(is_class, scores, drop_intermediate=False)
        assert distance(np.column_stack([false, true]), curve["roc"]) < CLOSE
        assert distance(corners(is_class, scores), curve["precision_recall"]) < CLOSE
        assert max(len(curve["roc"][0]), len(curve["precision_recall"][0])) <= 200


def test_curves_are_these_by_hand() -> None:
    # From the top: right, a tie of right and wrong, wrong.
    probabilities = np.array([[0.1, 0.9], [0.5, 0.5], [0.5, 0.5], [0.8, 0.2]])
    found = class_curves(np.array([1, 0, 1, 0]), probabilities, 1)["1"]
    assert found["roc"] == [[0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0]]
    assert found["precision_recall"] == [[0.0, 0.5, 0.5, 1.0, 1.0], [1.0, 1.0, 0.6667, 0.6667, 0.5]]
    assert found["auc"] == 0.875  # 3.5 of 4 pairs are in order, the tie counts half
    assert found["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_a_straight_line_takes_its_ends_alone() -> None:
    labels = np.tile([0, 1], 5000)
    found = class_curves(labels, np.full((10_000, 2), 0.5, dtype=np.float32), 1)["1"]
    assert (found["roc"], found["precision_recall"]) == ([[0.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [0.5, 0.5]])


def test_many_images_take_at_most_two_hundred_points() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(2, size=50_000)
    scores = random.random(50_000)  # a network that guesses has the curve with the most corners
    found = class_curves(labels, np.column_stack([1 - scores, scores]), 1)["1"]
    assert len(found["precision_recall"][0]) <= 200
    assert distance(corners(labels == 1, scores), found["precision_recall"]) < 0.05


def test_of_many_classes_the_hardest_are_drawn() -> None:
    labels, probabilities = network("fine", 600, [1 / 15] * 15)
    found = class_curves(labels, probabilities, 1)
    areas = [roc_auc_score(labels == number, probabilities[:, number]) for number in range(15)]
    hardest = {str(number) for number in np.argsort(areas)[:10]}
    assert {name for name, curve in found.items() if curve["roc"]} == hardest
    assert {name for name, curve in found.items() if curve["precision_recall"]} == hardest
    assert [curve["auc"] for curve in found.values()] == pytest.approx(areas)


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_one_class_alone_has_no_curve(labels: list[int]) -> None:
    assert class_curves(np.array(labels), np.full((3, 2), 0.5), 1) == {}
