"""Random numbers added to images: noise in each pixel, and shifts of each channel.

They are written by hand because Keras's GaussianNoise allows standard deviations up to 1 only, which is next to nothing
in pixels of 0 to 255, and its RandomBrightness shifts all channels by the same number.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


def build_noise(share: float, seed: int) -> Any:
    """Build a layer that adds Gaussian noise; `share` of 255 is its standard deviation."""
    import keras

    return _layer_class()(
        lambda images, draws: 255 * share * keras.random.normal(keras.ops.shape(images), seed=draws), seed
    )


def build_channel_shift(share: float, seed: int) -> Any:
    """Build a layer that adds one number to each channel of each image, up to `share` of 255 to either side."""
    import keras

    def draw(images: Any, draws: Any) -> Any:
        n_images, _, _, n_channels = keras.ops.shape(images)
        return 255 * keras.random.uniform((n_images, 1, 1, n_channels), -share, share, seed=draws)

    return _layer_class()(draw, seed)


@cache  # One class serves all models. It is made late, because it needs Keras.
def _layer_class() -> type[Any]:
    import keras
    from keras import ops

    class RandomAddition(keras.layers.Layer):  # type: ignore[misc]
        """A layer that adds what `draw(images, seed generator)` returns, and keeps values within 0 to 255."""

        def __init__(self, draw: Callable[[Any, Any], Any], seed: int) -> None:
            super().__init__(dtype="float32")
            self._draw = draw
            self._draws = keras.random.SeedGenerator(seed)

        def call(self, images: Any, training: bool = False) -> Any:
            return ops.clip(images + self._draw(images, self._draws), 0.0, 255.0) if training else images

        def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return input_shape

    return RandomAddition
