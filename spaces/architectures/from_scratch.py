"""Convolutional networks that are trained from scratch."""

from __future__ import annotations

from typing import Any

from spaces.architectures.architecture import Architecture
from spaces.candidate import Settings
from spaces.ranges import Choice, FloatRange, IntRange
from spaces.settings import flag, number, whole


def build_plain_cnn(settings: Settings, image_shape: tuple[int, int, int], n_classes: int) -> Any:
    """Blocks of convolution, optional batch norm, relu and pooling; then a dense layer and softmax.

    Each block has twice the filters of the one before and halves the image, down to one pixel.
    """
    import keras
    from keras import layers

    inputs = keras.Input(image_shape)
    x = layers.Rescaling(1 / 255)(inputs)
    for block in range(int(settings["n_blocks"])):
        x = layers.Conv2D(
            int(settings["filters"]) * 2**block,
            int(settings["kernel_size"]),
            padding="same",
            use_bias=not settings["batch_norm"],  # batch norm has a bias of its own
        )(x)
        if settings["batch_norm"]:
            x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
        x = layers.MaxPooling2D(padding="same")(x)
    x = layers.Flatten()(x)
    if settings["dense_units"]:
        x = layers.Dense(int(settings["dense_units"]), activation="relu")(x)
    if settings["dropout"]:
        x = layers.Dropout(float(settings["dropout"]))(x)
    outputs = layers.Dense(n_classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="plain_cnn")


PLAIN_CNN = Architecture(
    name="plain_cnn",
    settings={
        "n_blocks": whole(IntRange(1, 3), 1, 12),
        "filters": whole(Choice((8, 16, 32, 64)), 1, 4096),
        "kernel_size": whole(Choice((3, 5)), 1, 31),
        "dense_units": whole(Choice((0, 32, 64, 128, 256)), 0, 65536),
        "dropout": number(FloatRange(0.0, 0.5, step=0.1), above=0, below=1, zero=True),
        "batch_norm": flag(Choice((False, True))),
    },
    build=build_plain_cnn,
)
