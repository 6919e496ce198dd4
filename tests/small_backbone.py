"""A network of five layers in the place of a backbone of `keras.applications`, which takes many seconds to trace."""

from __future__ import annotations

from typing import Any


def small_backbone(
    include_top: bool, pooling: None, input_shape: tuple[int, ...], weights: None, alpha: float = 1.0
) -> Any:
    """Build it by the arguments that `keras.applications` takes: a convolution, then one that is separable."""
    import keras

    assert not include_top
    assert pooling is weights is None
    layers = keras.layers
    inputs = layers.Input(input_shape)
    x = layers.Conv2D(round(16 * alpha), 3, strides=4, use_bias=False)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.SeparableConv2D(round(32 * alpha), 3, strides=2)(x)
    return keras.Model(inputs, layers.BatchNormalization()(x))
