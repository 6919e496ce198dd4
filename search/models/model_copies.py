"""Copies of a model for export: in float32, or with random weights in place of untrained ones."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

_POLICIES = ("DTypePolicy", "FloatDTypePolicy")


def float32_copy(model: Any) -> Any:
    """Return the model with all layers in float32, and the same weights; the model itself if it is so already.

    Under ``mixed_float16`` weights are float32 already and only the values between layers are not, but a file that
    has such layers needs operations that plain runtimes lack.
    """
    if all(_is_float32(layer) for layer in model._flatten_layers()):
        return model
    copied = keras.saving.deserialize_keras_object(_in_float32(keras.saving.serialize_keras_object(model)))
    copied.set_weights(model.get_weights())
    return copied


def _is_float32(layer: Any) -> bool:
    return layer.compute_dtype in (None, "float32") and layer.variable_dtype in (None, "float32")


def _in_float32(config: Any) -> Any:
    """Return a model's configuration with the policy of every layer replaced."""
    if isinstance(config, list | tuple):
        return [_in_float32(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in _POLICIES:
        return {**config, "class_name": "DTypePolicy", "config": {"name": "float32"}}
    kept = {name: value for name, value in config.items() if name != "compile_config"}
    return {name: _in_float32(value) for name, value in kept.items()}


def randomize(model: Any, seed: int) -> None:
    """Draw all weights, biases and statistics of batch normalization at random, in place.

    A fresh model has equal constants, such as biases of 0, which a file stores once: it would be smaller than the file
    of the trained model. Variances must be positive, and so all vectors are.
    """
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if "float" not in str(weight.dtype):
            continue  # the state of a random layer
        shape = tuple(weight.shape)
        if len(shape) > 1:
            values = rng.normal(0.0, math.sqrt(2 / math.prod(shape[:-1])), shape)
        else:
            values = rng.uniform(0.1, 1.0, shape)
        weight.assign(values.astype(np.float32))
