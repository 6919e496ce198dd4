"""RandAugment: a few operations for each image, drawn from many, all of one magnitude (arXiv 1909.13719).

It is written by hand because Keras's own layer draws its operations once for a whole batch, and turns images by up to
a full circle. Ours draws them for each image, with the paper's ranges, and computes all geometric ones in one step. It
leaves out the paper's equalize, whose histograms cost more than all other operations together.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

_N_ROUNDS = 2  # operations for each image, as in the paper
_GEOMETRIC_OPERATIONS = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
_COLOUR_OPERATIONS = (
    "identity",
    "autocontrast",
    "solarize",
    "posterize",
    "contrast",
    "brightness",
    "sharpness",
    "saturation",
)


def build_rand_augment(magnitude: float, fill: str, seed: int) -> Any:
    """Build a layer that applies two random operations to every image while training.

    Args:
        magnitude: 0 to 1. At 1, the operations turn by 30 degrees, shear by 0.3, shift by 0.45 of the
            side, leave 4 bits a channel, invert all pixels lighter than black, and blend colour,
            contrast, brightness and sharpness by factors of 0.1 or 1.9.
        fill: Keras's name of the mode that fills the area that an image moved away from.
    """
    return _layer_class()(magnitude, fill, seed)


@cache  # made late, because it needs Keras
def _layer_class() -> type[Any]:
    import keras
    from keras import ops, random

    class RandomOperations(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, magnitude: float, fill: str, seed: int) -> None:
            super().__init__(dtype="float32")
            self._magnitude, self._fill = magnitude, fill
            self._draws = random.SeedGenerator(seed)
            self.supports_jit = False  # TensorFlow has no XLA kernel for moving images

        def call(self, images: Any, training: bool = False) -> Any:
            if not training:
                return images
            is_coloured = images.shape[-1] == 3  # grey images have no saturation
            names = (*_GEOMETRIC_OPERATIONS, *(_COLOUR_OPERATIONS if is_coloured else _COLOUR_OPERATIONS[:-1]))
            n_images = ops.shape(images)[0]
            for _ in range(_N_ROUNDS):
                chosen = random.randint((n_images,), 0, len(names), seed=self._draws)
                is_up = random.randint((n_images,), 0, 2, seed=self._draws)
                strength = self._magnitude * (2.0 * ops.cast(is_up, "float32") - 1.0)
                images = _move(images, chosen, strength, self._fill)
                images = _recolour(images, chosen, strength, self._magnitude, names[len(_GEOMETRIC_OPERATIONS) :])
            return images

        def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return input_shape

    return RandomOperations


def _move(images: Any, chosen: Any, strength: Any, fill: str) -> Any:
    """Turn, shear or shift each image by its `strength`, shape (batch,), if its `chosen` operation is one of these."""
    from keras import ops

    def of(name: str) -> Any:
        return strength * ops.cast(chosen == _GEOMETRIC_OPERATIONS.index(name), "float32")

    height, width = images.shape[1:3]
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    angle = math.pi / 6 * of("rotate")
    x_of_x, x_of_y = ops.cos(angle), 0.3 * of("shear_x") - ops.sin(angle)
    y_of_x, y_of_y = 0.3 * of("shear_y") + ops.sin(angle), ops.cos(angle)
    x_shift = middle_x - x_of_x * middle_x - x_of_y * middle_y + 0.45 * width * of("translate_x")
    y_shift = middle_y - y_of_x * middle_x - y_of_y * middle_y + 0.45 * height * of("translate_y")
    none = ops.zeros_like(angle)
    moves = ops.stack([x_of_x, x_of_y, x_shift, y_of_x, y_of_y, y_shift, none, none], axis=1)
    return ops.image.affine_transform(images, moves, "bilinear", fill, data_format="channels_last")


def _recolour(images: Any, chosen: Any, strength: Any, magnitude: float, names: tuple[str, ...]) -> Any:
    """Apply to each image the operation of `names` that was `chosen`, counted after the geometric ones."""
    from keras import ops

    factor = 1.0 + 0.9 * ops.reshape(strength, (-1, 1, 1, 1))
    result = images
    for number, name in enumerate(names, start=len(_GEOMETRIC_OPERATIONS)):
        if name != "identity":
            is_chosen = ops.reshape(chosen == number, (-1, 1, 1, 1))
            result = ops.where(is_chosen, _recoloured(images, name, factor, magnitude), result)
    return ops.clip(result, 0.0, 255.0)


def _recoloured(images: Any, name: str, factor: Any, magnitude: float) -> Any:
    """Return all images after one operation; one with a factor blends: 0 is the other picture, 1 the image itself."""
    from keras import ops

    match name:
        case "autocontrast":
            darkest = ops.min(images, axis=(1, 2), keepdims=True)
            spread = ops.max(images, axis=(1, 2), keepdims=True) - darkest
            return ops.where(spread > 0, (images - darkest) * 255.0 / ops.maximum(spread, 1e-6), images)
        case "solarize":
            return ops.where(images > 255.0 * (1 - magnitude), 255.0 - images, images)
        case "posterize":
            step = 2.0 ** round(4 * magnitude)
            return ops.floor(images / step) * step
        case "contrast":
            other = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        case "brightness":
            other = ops.zeros_like(images)
        case "sharpness":
            other = ops.average_pool(images, 3, strides=1, padding="same", data_format="channels_last")
        case _:  # saturation
            other = ops.mean(images, axis=-1, keepdims=True)
    return other + factor * (images - other)
