"""Numbers to predict: the layer that gives a model's answers the labels' unit, and the losses in standard units."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tunefront.search.data.label_scale import LabelScale
from tunefront.search.trial.file_size import UNIT_OF_LABELS

_LOSSES = {
    "mse": keras.losses.mean_squared_error,
    "mae": keras.losses.mean_absolute_error,
    "huber": keras.losses.huber,
}


def in_unit_of_labels(model: Any, scale: LabelScale, input_shape: tuple[int, ...]) -> Any:
    """Return a model that answers in the unit of the labels, behind one that answers in standard deviations.

    The layers of a functional or sequential model are taken over, so that its backbone stays where it was; a model with
    a `call` of its own becomes one layer. The last layer computes in float32 under mixed precision too.
    """
    if type(model).__module__.partition(".")[0] == "keras" and model.inputs:  # not a class of the user's own
        inputs, outputs = model.inputs, model.outputs[0]
    else:
        inputs = keras.Input(input_shape)
        outputs = model(inputs)
    scaling = keras.layers.Rescaling(scale.deviation, scale.mean, dtype="float32", name=UNIT_OF_LABELS)
    return keras.Model(inputs, scaling(outputs), name=model.name)


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
        return _LOSSES[self.kind](labels, answers)

    def in_unit_of_labels(self) -> Any:
        """Return Keras's own loss of this kind, of which any Keras makes something; it is in the unit of the labels."""
        if self.kind == "huber":
            return keras.losses.Huber(delta=self.scale.deviation)
        return {"mse": "mean_squared_error", "mae": "mean_absolute_error"}[self.kind]
