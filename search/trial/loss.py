"""The loss of a training: Keras's cross-entropy for softmax or one sigmoid unit, smoothed, weighted and mixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class TrainingLoss(keras.losses.Loss):  # type: ignore[misc]
    """The cross-entropy between labels and probabilities: every candidate's loss, whatever its settings.

    It is computed by Keras's own functions. On TensorFlow these use the logits behind the probabilities, so that the
    gradient does not vanish if a network is confidently wrong.

    Labels are class numbers of shape (batch,) or (batch, 1), or, if images were mixed, shares of
    shape (batch, n_classes). One sigmoid unit, shape (batch, 1), is the probability of class 1.

    Args:
        label_smoothing: Share of each label that is spread evenly over all classes (arXiv 1512.00567).
        class_weights: The weight of each class's examples; a mixed example has the mean of its shares' weights.
    """

    def __init__(self, n_classes: int, label_smoothing: float = 0.0, class_weights: Sequence[float] = ()) -> None:
        super().__init__(name="cross_entropy")
        self.n_classes = n_classes
        self.label_smoothing = label_smoothing
        self.class_weights = tuple(class_weights)

    def shares(self, labels: Any) -> Any:
        """Return labels as shares of classes, shape (batch, n_classes)."""
        if len(labels.shape) == 2 and labels.shape[-1] == self.n_classes and self.n_classes > 1:
            return labels
        return ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), self.n_classes)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each example, shape (batch,)."""
        shares = self.shares(y_true)
        # Both functions get the predictions unchanged, because Keras finds the logits only behind the activation's own
        # tensor.
        if y_pred.shape[-1] == 1:
            losses = keras.losses.binary_crossentropy(shares[:, 1:], y_pred, label_smoothing=self.label_smoothing)
        else:
            losses = keras.losses.categorical_crossentropy(shares, y_pred, label_smoothing=self.label_smoothing)
        if self.class_weights:
            losses = losses * ops.sum(shares * ops.convert_to_tensor(self.class_weights, "float32"), axis=-1)
        return losses


def balanced_weights(counts: Sequence[int]) -> list[float]:
    """Return weights with which all classes count alike: n / (k * n_class), and 0 for a class without examples."""
    total, n_classes = sum(counts), sum(count > 0 for count in counts)
    return [total / (n_classes * count) if count else 0.0 for count in counts]
