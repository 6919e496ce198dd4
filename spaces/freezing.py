"""Freeze fractions: how much of a backbone keeps its weights while the rest is trained."""

from __future__ import annotations

import math
from typing import Any

BACKBONE = "backbone"  # the name of the nested layer, also in saved models


def find_backbone(model: Any) -> Any:
    """The backbone that is nested in a built model, itself a model; None if it has none."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model) and layer.name == BACKBONE:
            return layer
    return None


def n_frozen_layers(n_layers: int, freeze_fraction: float) -> int:
    """How many of a backbone's first layers are frozen: ceil(f * N), with f in [0, 1].

    0 trains all of it, 1 only the head ("Top").
    """
    # Rounded first: 0.1 * 30 is a little above 3 in floating point, and is 3.
    return math.ceil(round(freeze_fraction * n_layers, 9))


def freeze(backbone: Any, freeze_fraction: float) -> int:
    """Freeze the first of ``backbone.layers`` and train the others, whatever was frozen before.

    A frozen batch norm runs in inference mode: it neither learns nor follows the batches' statistics.
    A frozen dropout still drops. A model that is compiled must be compiled again afterwards.

    Returns:
        How many layers are frozen.
    """
    n_frozen = n_frozen_layers(len(backbone.layers), freeze_fraction)
    # Of a change Keras tells all layers below, but on TensorFlow not of what already was: so there and back.
    backbone.trainable = False
    backbone.trainable = True
    for layer in backbone.layers[:n_frozen]:
        layer.trainable = False
    return n_frozen
