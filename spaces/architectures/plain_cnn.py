"""Plain convolutional networks: blocks one after the other, then dense layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunefront.spaces.architectures.architecture import Architecture
from tunefront.spaces.architectures.blocks import BLOCK_SETTINGS, OVERRIDE_SETTINGS, add_block, plan_blocks
from tunefront.spaces.candidate import Settings
from tunefront.spaces.ranges import Choice, Fixed, FloatRange, IntRange
from tunefront.spaces.settings import Setting, flag, number, whole

SETTINGS: Mapping[str, Setting] = {
    "n_blocks": whole(IntRange(1, 3), 1, 12),
    **BLOCK_SETTINGS,
    "dropout_before_flatten": number(Fixed(0.0), above=0, below=1, zero=True),
    "dense_units": whole(Choice((0, 32, 64, 128, 256)), 0, 65536),  # 0: no such layer
    "dense_units_2": whole(Fixed(0), 0, 65536),
    "dense_units_3": whole(Fixed(0), 0, 65536),
    "dense_batch_norm": flag(Fixed(False)),  # after the activation of each dense layer
    "dropout": number(FloatRange(0.0, 0.5, step=0.1), above=0, below=1, zero=True),
    **OVERRIDE_SETTINGS,
}


def add_plain_cnn(settings: Settings, pixels: Any) -> Any:
    """Add blocks, flattening, dense layers and dropout behind `pixels`.

    By default each block has twice the filters of the one before and halves the image, down to one pixel.
    """
    from keras import layers

    x = layers.Rescaling(1 / 255)(pixels)
    for block in plan_blocks(settings):
        x = add_block(block, x)
    if settings["dropout_before_flatten"]:
        x = layers.Dropout(float(settings["dropout_before_flatten"]))(x)
    x = layers.Flatten()(x)
    for name in ("dense_units", "dense_units_2", "dense_units_3"):
        if settings[name]:
            x = layers.Dense(int(settings[name]), activation=str(settings["activation"]))(x)
            if settings["dense_batch_norm"]:
                x = layers.BatchNormalization()(x)
    return layers.Dropout(float(settings["dropout"]))(x) if settings["dropout"] else x


PLAIN_CNN = Architecture(
    name="plain_cnn",
    description="Blocks of convolutions and pooling, each with twice the filters of the one before, then dense layers",
    settings=SETTINGS,
    layers=add_plain_cnn,
)
