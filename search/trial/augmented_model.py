"""The model that `fit` trains: the candidate's model behind its augmentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
from keras import ops

from tunefront.search.trial.loss import TrainingLoss

_MOVING = (
    keras.layers.RandomPerspective,
    keras.layers.RandomRotation,
    keras.layers.RandomShear,
    keras.layers.RandomTranslation,
    keras.layers.RandomZoom,
)


class AugmentedModel(keras.Model):  # type: ignore[misc]
    """A model that changes images while training, and the labels of images that it mixes.

    Args:
        model: The candidate's own model, whose weights are shared.
        layers: Layers that are applied one after another to the images, only while training.
        mixing: A layer that takes a batch of images and returns them mixed, with each image's own share.
        loss: The loss, which also turns labels into shares.
    """

    def __init__(self, model: Any, layers: Sequence[Any], mixing: Any, loss: TrainingLoss) -> None:
        # With autocast, under mixed precision, Keras would round float data to 16 bits before the first layer, and
        # values above 65504 would become infinite. A functional model has no autocast either.
        super().__init__(name="augmented", autocast=False)
        self.inner = model
        self.augmentation = list(layers)
        self.mixing = mixing
        self._shares_of = loss.shares
        self._own_share: Any = None
        let_jax_compile([*layers, *([mixing] if mixing is not None else [])])

    def build(self, input_shape: Any) -> None:
        """Build the augmentation; the candidate's own model was built before."""
        for layer in self.augmentation:
            if not layer.built:
                layer.build(input_shape)
        self.built = True

    def call(self, images: Any, training: bool = False) -> Any:
        """Return probabilities for raw pixels."""
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
        """Return the compiled loss, with mixed labels if images were mixed.

        Each training step calls the model and then this method within one trace, so the share belongs to the same
        batch.
        """
        if self.mixing is not None and training and self._own_share is not None:
            shares = self._shares_of(y)
            own = ops.cast(ops.reshape(self._own_share, (-1, 1)), shares.dtype)
            y = own * shares + (1 - own) * ops.roll(shares, -1, axis=0)
            self._own_share = None
        return super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)


def moving_layers(model: Any) -> list[Any]:
    """Return the layers of Keras in a model that move images, such as a model of the user's own may have."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, _MOVING)]


def let_jax_compile(layers: Iterable[Any]) -> None:
    """Let JAX compile the steps of models with these layers.

    Layers that TensorFlow's XLA has no kernel for say that they cannot be compiled. JAX compiles them all. If one of
    them says no, Keras runs the whole step operation by operation, many times slower.
    """
    if keras.backend.backend() == "jax":
        for layer in layers:
            layer.supports_jit = True
