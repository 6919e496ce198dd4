"""What `fit` trains: the candidate's model behind its augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tunefront.search.trial.loss import TrainingLoss


class AugmentedModel(keras.Model):  # type: ignore[misc]
    """Changes images while training, and the labels of images that it mixes.

    Args:
        model: The candidate's own model; the weights are shared.
        layers: Applied one after another to the images, only while training.
        mixing: Called with a batch of images; returns them mixed, and for each the share that is its own.
        loss: Tells how labels become shares.
    """

    def __init__(self, model: Any, layers: Sequence[Any], mixing: Any, loss: TrainingLoss) -> None:
        # Without autocast, as a functional model: under mixed precision Keras would round float data to 16 bits before
        # the first layer, and values above 65504 would become infinite.
        super().__init__(name="augmented", autocast=False)
        self.inner = model
        self.augmentation = list(layers)
        self.mixing = mixing
        self._shares_of = loss.shares
        self._own_share: Any = None

    def build(self, input_shape: Any) -> None:
        """Build the augmentation; the candidate's own model is built already."""
        for layer in self.augmentation:
            if not layer.built:
                layer.build(input_shape)
        self.built = True

    def call(self, images: Any, training: bool = False) -> Any:
        """Probabilities for raw pixels."""
        if not training:
            return self.inner(images, training=False)
        images = ops.cast(images, "float32")
        for layer in self.augmentation:
            images = layer(images, training=True)
        if self.mixing is not None:
            images, self._own_share = self.mixing(images)
        return self.inner(images, training=True)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Return the compiled loss, of the mixed labels where images were mixed.

        Each training step calls the model and then this, within one trace: the share is that of the
        same batch.
        """
        if self.mixing is not None and training and self._own_share is not None:
            shares = self._shares_of(y)
            own = ops.cast(ops.reshape(self._own_share, (-1, 1)), shares.dtype)
            y = own * shares + (1 - own) * ops.roll(shares, -1, axis=0)
            self._own_share = None
        return super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
