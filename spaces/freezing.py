"""Freeze fractions: how much of a backbone keeps its weights while the rest is trained."""

from __future__ import annotations

import math
from typing import Any

BACKBONE = "backbone"  # the name of the nested layer, also in saved models


def find_backbone(model: Any) -> Any:
    """Return the backbone that is nested in a built model, itself a model; None if it has none."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model) and layer.name == BACKBONE:
            return layer
    return None


def n_frozen_layers(n_layers: int, freeze_fraction: float) -> int:
    """Return how many of a backbone's first layers are frozen: ceil(f * N), with f in [0, 1].

    A fraction of 0 trains the whole backbone, 1 only the head ("Top").
    """
    # 0.1 * 30 is a little above 3 in floating point, so the product is rounded before `ceil`.
    return math.ceil(round(freeze_fraction * n_layers, 9))


def freeze(backbone: Any, freeze_fraction: float) -> int:
    """Freeze the first layers of a backbone and unfreeze the others, whatever was frozen before.

    A frozen batch norm runs in inference mode: it neither learns nor follows the batches' statistics.
    A frozen dropout still drops. A model that is compiled must be compiled again afterwards.

    Returns:
        How many layers are frozen.
    """
    n_frozen = n_frozen_layers(len(backbone.layers), freeze_fraction)
    # Keras passes `trainable` on to inner layers only when the value changes (on TensorFlow). Setting False and then
    # True reaches all of them.
    backbone.trainable = False
    backbone.trainable = True
    for layer in backbone.layers[:n_frozen]:
        layer.trainable = False
    return n_frozen
