"""Augmentation levels: random changes of training images, on the device, never in the saved model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LEVELS: Sequence[str] = ("none", "light")


def build_augmentation(level: str, seed: int) -> list[Any]:
    """The Keras layers of that level; they change images only while training.

    Light keeps a label readable in any image domain: shifts of a tenth, turns of ten degrees, zooms
    of a tenth; no flips, which would turn some digits and letters into others.
    """
    import keras

    if level == "none":
        return []
    return [
        keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest", seed=seed),
        keras.layers.RandomRotation(10 / 360, fill_mode="nearest", seed=seed + 1),
        keras.layers.RandomZoom(0.1, fill_mode="nearest", seed=seed + 2),
    ]
