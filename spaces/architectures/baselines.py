"""Baselines: plain networks that are given layer by layer, each under a name of its own.

All settings of ``plain_cnn`` apply, so that a spec can also search around a baseline.
"""

from __future__ import annotations

from dataclasses import replace

from tunefront.spaces.architectures.architecture import Architecture
from tunefront.spaces.architectures.plain_cnn import SETTINGS, add_plain_cnn
from tunefront.spaces.ranges import Choice, Fixed, IntRange, Range, Value

# What a baseline's definition does not name has Keras's own default.
_KERAS_DEFAULTS: dict[str, Value] = {
    "kernel_size": 3,
    "padding": "valid",
    "pool_padding": "valid",
    "batch_norm": False,
    "dense_units": 0,
    "dropout": 0.0,
}


def _baseline(name: str, description: str, **defaults: Value | Range) -> Architecture:
    chosen = {**_KERAS_DEFAULTS, **defaults}
    settings = {
        key: replace(setting, default=_range(chosen[key])) if key in chosen else setting
        for key, setting in SETTINGS.items()
    }
    return Architecture(name, description, settings, add_plain_cnn)


def _range(value: Value | Range) -> Range:
    return Fixed(value) if isinstance(value, bool | int | float | str) else value


BASELINES = (
    _baseline(
        "one_conv32",
        "A 3x3 convolution of 32 filters with pooling, dropout 0.25, dense 256, dropout 0.5",
        n_blocks=1,
        filters=32,
        block_dropout=0.25,
        dense_units=256,
        dropout=0.5,
    ),
    _baseline(
        "two_conv_no_pool",
        "Two convolutions without pooling, their filters and kernels and one dense layer searched",
        n_blocks=2,
        filters=IntRange(32, 128, 16),
        kernel_size=Choice((3, 5)),
        filters_2=IntRange(32, 64, 16),
        kernel_size_2=Choice((3, 5)),
        pool_size=1,
        dense_units=IntRange(32, 128),
    ),
    _baseline(
        "three_conv6_16_16",
        "Convolutions of 6, 16 and 16 filters with kernels of 3, 4 and 5, each with pooling, dense 256 and 128",
        n_blocks=3,
        filters=6,
        filters_2=16,
        filters_3=16,
        kernel_size_2=4,
        kernel_size_3=5,
        padding="same",
        pool_stride=2,
        pool_size_2=4,
        pool_padding_2="same",
        dense_units=256,
        dense_units_2=128,
    ),
    _baseline(
        "three_conv32_64_64",
        "3x3 convolutions of 32, 64 and 64 filters, pooling after the first two, dense 64",
        n_blocks=3,
        filters=32,
        filters_3=64,
        pool_size_3=1,
        dense_units=64,
    ),
    _baseline(
        "three_double_conv16_32_64",
        "Pairs of 3x3 convolutions of 16, 32 and 64 filters with pooling, batch norm or dropout 0.25, dense 256",
        n_blocks=3,
        convolutions=2,
        filters=16,
        padding="same",
        batch_norm=True,
        batch_norm_after="pool",
        batch_norm_2="none",
        block_dropout_2=0.25,
        dense_units=256,
        dense_batch_norm=True,
    ),
    _baseline(
        "four_conv64",
        "Four 3x3 convolutions of 64 filters, each with pooling, dropout 0.2",
        n_blocks=4,
        filters=64,
        filters_growth=1.0,
        dropout_before_flatten=0.2,
    ),
    _baseline(
        "four_conv32_128",
        "3x3 convolutions of 32, 64, 128 and 128 filters, each with pooling, dense 512",
        n_blocks=4,
        filters=32,
        filters_4=128,
        dense_units=512,
    ),
)
