"""The training loss against Keras's own, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

LABELS = np.array([0, 2, 1, 2])
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]], np.float32)


def loss_of(keras: Any, labels: Any, probabilities: Any, **options: Any) -> float:
    from search.losses import TrainingLoss

    return float(TrainingLoss(options.pop("n_classes", 3), **options)(labels, probabilities))


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, np.newaxis], np.eye(3)[LABELS]], ids=["flat", "column", "shares"])
def test_the_plain_loss_is_keras_s(keras: Any, labels: Any) -> None:
    expected = float(keras.losses.SparseCategoricalCrossentropy()(LABELS, PROBABILITIES))
    assert loss_of(keras, labels, PROBABILITIES) == pytest.approx(expected, rel=1e-5)


def test_a_smoothed_loss_is_keras_s(keras: Any) -> None:
    expected = float(keras.losses.CategoricalCrossentropy(label_smoothing=0.3)(np.eye(3)[LABELS], PROBABILITIES))
    assert loss_of(keras, LABELS, PROBABILITIES, label_smoothing=0.3) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_one_sigmoid_unit_is_keras_s_binary_loss(keras: Any, smoothing: float) -> None:
    labels, probability = np.array([0, 1, 1]), np.array([[0.2], [0.9], [0.4]], np.float32)
    keras_s = keras.losses.BinaryCrossentropy(label_smoothing=smoothing)
    expected = float(keras_s(labels[:, np.newaxis].astype("float32"), probability))
    assert loss_of(keras, labels, probability, n_classes=2, label_smoothing=smoothing) == pytest.approx(
        expected, rel=1e-5
    )


def test_class_weights_weigh_examples_by_their_class(keras: Any) -> None:
    losses = -np.log(PROBABILITIES[np.arange(4), LABELS])
    expected = float((losses * np.array([1.0, 5.0, 2.0, 5.0])).mean())
    assert loss_of(keras, LABELS, PROBABILITIES, class_weights=[1.0, 2.0, 5.0]) == pytest.approx(expected, rel=1e-5)


def test_a_mixed_example_weighs_as_its_shares_do(keras: Any) -> None:
    shares = np.array([[0.25, 0.75, 0.0]], np.float32)
    expected = -(0.25 * np.log(0.7) + 0.75 * np.log(0.2)) * (0.25 * 1 + 0.75 * 2)
    found = loss_of(keras, shares, PROBABILITIES[:1], class_weights=[1.0, 2.0, 5.0])
    assert found == pytest.approx(expected, rel=1e-5)


def test_balanced_weights_let_every_class_count_alike(keras: Any) -> None:
    from search.losses import balanced_weights

    # 12 examples, 3 classes that occur: 12 / (3 * n)
    assert balanced_weights([6, 2, 4, 0]) == pytest.approx([12 / 18, 2.0, 1.0, 0.0])
