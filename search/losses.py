"""The loss of a training: cross-entropy for one sigmoid unit or softmax, smoothed, weighted, mixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class TrainingLoss(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy between labels and probabilities.

    Labels are class numbers of shape (batch,) or (batch, 1), or, where images were mixed, shares of
    shape (batch, n_classes).

    Args:
        label_smoothing: Share of each label that is spread evenly over all classes (arXiv 1512.00567).
        class_weights: One for each class; an example counts as much as its class, a mixed one as its share.
    """

    def __init__(self, n_classes: int, label_smoothing: float = 0.0, class_weights: Sequence[float] = ()) -> None:
        super().__init__(name="cross_entropy")
        self.n_classes = n_classes
        self.label_smoothing = label_smoothing
        self.class_weights = tuple(class_weights)

    def shares(self, labels: Any) -> Any:
        """Labels as shares of classes, shape (batch, n_classes)."""
        if len(labels.shape) == 2 and labels.shape[-1] == self.n_classes and self.n_classes > 1:
            return labels
        return ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), self.n_classes)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each example, shape (batch,)."""
        shares = self.shares(y_true)
        y_pred = ops.cast(y_pred, "float32")
        if y_pred.shape[-1] == 1:  # one sigmoid unit: the second class
            y_pred = ops.concatenate([1 - y_pred, y_pred], axis=-1)
        smoothed = shares * (1 - self.label_smoothing) + self.label_smoothing / self.n_classes
        losses = -ops.sum(smoothed * ops.log(ops.clip(y_pred, 1e-7, 1.0)), axis=-1)
        if self.class_weights:
            losses = losses * ops.sum(shares * ops.convert_to_tensor(self.class_weights, "float32"), axis=-1)
        return losses


def balanced_weights(counts: Sequence[int]) -> list[float]:
    """A weight for each class so that all count alike: n / (k * n_class), 0 for a class without example."""
    total, n_classes = sum(counts), sum(count > 0 for count in counts)
    return [total / (n_classes * count) if count else 0.0 for count in counts]
