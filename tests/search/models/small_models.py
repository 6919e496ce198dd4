"""Small Keras models for the tests of exports."""

from __future__ import annotations

from typing import Any

import numpy as np


def small_cnn(keras: Any, *, n_outputs: int = 10, policy: str = "float32", largest: int = 16) -> Any:
    """Return an untrained network for images of 8 x 8 pixels, with batch normalization and a Rescaling."""
    keras.utils.set_random_seed(3)
    keras.config.set_dtype_policy(policy)
    layers = keras.layers
    inputs = keras.Input((8, 8, 1))
    x = layers.Rescaling(1 / largest)(inputs)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(16, 3, activation="relu")(x)
    x = layers.Flatten()(x)
    activation = "softmax" if n_outputs > 1 else "sigmoid"
    model = keras.Model(inputs, layers.Dense(n_outputs, activation=activation, dtype="float32")(x))
    keras.config.set_dtype_policy("float32")
    return model


def digit_images() -> tuple[Any, Any]:
    """Return scikit-learn's digits as uint8 images of shape (1797, 8, 8, 1), and their labels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.images[..., np.newaxis].astype(np.uint8), found.target


def trained_cnn(keras: Any) -> Any:
    """Return a network that was trained on 1200 digits for a few epochs."""
    images, labels = digit_images()
    model = small_cnn(keras)
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    model.fit(images[:1200].astype("float32"), labels[:1200], batch_size=32, epochs=6, verbose=0)
    return model
