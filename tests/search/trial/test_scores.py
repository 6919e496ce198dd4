"""The scores against scikit-learn's, and by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from tunefront.objectives.measures import MEASURES
from tunefront.search.data.label_scale import LabelScale
from tunefront.search.trial.scores import score, score_numbers


def some(n_classes: int, n: int = 300, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, n_classes, n)
    probabilities = generator.dirichlet(np.ones(n_classes), n).astype(np.float32)
    probabilities[np.arange(n), labels] += generator.uniform(0, 0.5, n).astype(np.float32)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("positive_class", [0, 1])
def test_score_of_two_classes_is_scikit_learns(positive_class: int) -> None:
    labels, probabilities = some(2)
    chosen = probabilities.argmax(axis=1)
    scores = score(labels, probabilities, positive_class)
    options = {"pos_label": positive_class}
    assert scores == pytest.approx(
        {
            "loss": metrics.log_loss(labels, probabilities),
            "accuracy": metrics.accuracy_score(labels, chosen),
            "f1_macro": metrics.f1_score(labels, chosen, average="macro"),
            "f1_binary": metrics.f1_score(labels, chosen, **options),
            "precision": metrics.precision_score(labels, chosen, **options),
            "recall": metrics.recall_score(labels, chosen, **options),
            "auc": metrics.roc_auc_score(labels == positive_class, probabilities[:, positive_class]),
        },
        rel=1e-5,
    )


@pytest.mark.parametrize("n_classes", [3, 5, 6, 40])
def test_score_of_many_classes_is_scikit_learns(n_classes: int) -> None:
    labels, probabilities = some(n_classes)
    chosen = probabilities.argmax(axis=1)
    scores = score(labels, probabilities, wants_auc=True)
    expected = {
        "loss": metrics.log_loss(labels, probabilities, labels=range(n_classes)),
        "accuracy": metrics.accuracy_score(labels, chosen),
        "f1_macro": metrics.f1_score(labels, chosen, average="macro"),
        "precision": metrics.precision_score(labels, chosen, average="macro", zero_division=0),
        "recall": metrics.recall_score(labels, chosen, average="macro"),
        "auc": metrics.roc_auc_score(
            labels, probabilities.astype(float) / probabilities.astype(float).sum(1, keepdims=True), multi_class="ovr"
        ),
    }
    if n_classes > 5:
        expected["top_5_accuracy"] = metrics.top_k_accuracy_score(labels, probabilities, k=5)
    assert scores == pytest.approx(expected, rel=1e-5)
    assert "auc" not in score(labels, probabilities)


def saturated(n_classes: int, n: int, generator: np.random.Generator) -> np.ndarray:
    return np.eye(n_classes, dtype=np.float32)[generator.integers(0, n_classes, n)]


def always_one(n_classes: int, n: int, generator: np.random.Generator) -> np.ndarray:
    return np.tile(np.eye(n_classes, dtype=np.float32)[3], (n, 1))


def all_equal(n_classes: int, n: int, generator: np.random.Generator) -> np.ndarray:
    return np.full((n, n_classes), 1 / n_classes, np.float32)


def coarse(n_classes: int, n: int, generator: np.random.Generator) -> np.ndarray:
    return generator.integers(0, 4, (n, n_classes)).astype(np.float32)


@pytest.mark.parametrize("n_classes", [6, 10, 300])
@pytest.mark.parametrize("kind", [saturated, always_one, all_equal, coarse], ids=lambda kind: kind.__name__)
def test_ties_in_the_top_five_are_broken_as_scikit_learn_does(n_classes: int, kind: Any) -> None:
    generator = np.random.default_rng(2)
    labels = np.concatenate([np.arange(n_classes), generator.integers(0, n_classes, 200)])
    probabilities = kind(n_classes, len(labels), generator)
    expected = metrics.top_k_accuracy_score(labels, probabilities, k=5)
    assert score(labels, probabilities)["top_5_accuracy"] == expected
    assert expected < 1


def test_a_network_that_always_says_one_class_has_half_of_ten_in_its_top_five() -> None:
    labels = np.repeat(np.arange(10), 20)
    assert score(labels, always_one(10, 200, np.random.default_rng(1)))["top_5_accuracy"] == 0.5


@pytest.mark.parametrize("positive_class", [0, 1])
def test_a_score_that_is_not_defined_is_left_out(positive_class: int) -> None:
    labels, probabilities = np.zeros(20, dtype=int), some(2, 20)[1]
    always = {"loss", "accuracy", "f1_macro"}
    looks_for_it = {"f1_binary", "precision", "recall"}
    found = score(labels, probabilities, positive_class, wants_auc=True)
    assert found.keys() == always | (looks_for_it if positive_class == 0 else set())
    # With many classes, only the AUC needs images of a second one.
    many = score(labels, some(7, 20)[1], wants_auc=True)
    assert many.keys() == always | {"precision", "recall", "top_5_accuracy"}
    assert "auc" in score(np.array([0, 3] * 10), some(7, 20)[1], wants_auc=True)


def test_a_class_that_is_never_predicted_has_precision_0() -> None:
    labels, never = np.array([0, 1, 1]), np.array([[0.9, 0.1]] * 3)
    assert (score(labels, never)["precision"], score(labels, never)["f1_binary"]) == (0, 0)


def test_score_averages_over_the_classes_that_occur() -> None:
    # Class 2 neither occurs nor is predicted. Of the two others, one is always right, one never.
    labels = np.array([0, 0, 1])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.6, 0.2, 0.2]])
    scores = score(labels, probabilities)
    assert scores["recall"] == pytest.approx(1 / 2)
    assert scores["precision"] == pytest.approx((2 / 3 + 0) / 2)
    assert scores["f1_macro"] == pytest.approx((4 / 5 + 0) / 2)


def test_score_of_what_became_nan_is_nan() -> None:
    probabilities = np.full((4, 2), np.nan, np.float32)
    scores = score(np.array([0, 1, 0, 1]), probabilities)
    assert math.isnan(scores["loss"])
    assert math.isnan(scores["auc"])


def test_score_gives_every_accuracy_measure_that_there_is() -> None:
    found = {
        *score(*some(2)),
        *score(*some(7)),
        *score_numbers(np.arange(4.0), np.ones(4), "mse", LabelScale(1.5, 1.1)),
    }
    assert found - {"loss"} == {measure.name for measure in MEASURES.values() if measure.axis == "accuracy"}
