"""The loss of a training: Keras's cross-entropy, smoothed, weighted and mixed; or of numbers, in standard units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tunefront.search.data.label_scale import LabelScale

_NUMBER_LOSSES = {
    "mse": keras.losses.mean_squared_error,
    "mae": keras.losses.mean_absolute_error,
    "huber": keras.losses.huber,
}


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


class NumberLoss(keras.losses.Loss):  # type: ignore[misc]
    """The error of predicted numbers, computed by Keras in standard deviations of the training labels.

    So gradients, learning rates and penalties mean the same whatever unit the labels have, and an ``mse`` of 1 is about
    that of always answering the mean.

    Args:
        kind: ``mse``, ``mae``, or ``huber``, whose errors are squares up to one standard deviation.
        scale: The scale of the training labels.
    """

    def __init__(self, kind: str, scale: LabelScale) -> None:
        super().__init__(name=kind)
        self.kind = kind
        self.scale = scale

    def shares(self, labels: Any) -> Any:
        """Return labels as a column, shape (batch, 1), that can be mixed."""
        return ops.cast(ops.reshape(labels, (-1, 1)), "float32")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each example, shape (batch,), of labels and answers of shape (batch, 1)."""
        labels, answers = ((values - self.scale.mean) / self.scale.deviation for values in (y_true, y_pred))
        return _NUMBER_LOSSES[self.kind](labels, answers)

    def in_unit_of_labels(self) -> Any:
        """Return Keras's own loss of this kind, of which any Keras makes something; it is in the unit of the labels."""
        if self.kind == "huber":
            return keras.losses.Huber(delta=self.scale.deviation)
        return {"mse": "mean_squared_error", "mae": "mean_absolute_error"}[self.kind]


def balanced_weights(counts: Sequence[int]) -> list[float]:
    """Return weights with which all classes count alike: n / (k * n_class), and 0 for a class without examples."""
    total, n_classes = sum(counts), sum(count > 0 for count in counts)
    return [total / (n_classes * count) if count else 0.0 for count in counts]
