"""The blocks of a plain convolutional network: planned from settings, then added as layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunefront.spaces.candidate import Settings
from tunefront.spaces.ranges import Choice, Fixed
from tunefront.spaces.settings import Setting, flag, number, one_of, whole

LAST_OVERRIDDEN = 6  # the last block with settings of its own

# Settings of all blocks. `filters_2`, `kernel_size_2` and so on replace them in block 2 and later ones.
BLOCK_SETTINGS: Mapping[str, Setting] = {
    "filters": whole(Choice((8, 16, 32, 64)), 1, 4096),
    "filters_growth": number(
        Fixed(2.0), above=0, below=64
    ),  # each block has so many times the filters of the block before it
    "kernel_size": whole(Choice((3, 5)), 1, 31),
    "batch_norm": flag(Choice((False, True))),
    "batch_norm_after": one_of(Fixed("convolution"), ("convolution", "pool")),
    "convolutions": whole(Fixed(1), 1, 16),
    "padding": one_of(Fixed("same"), ("same", "valid")),
    "activation": one_of(Fixed("relu"), ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "tanh")),
    "pool_size": whole(Fixed(2), 1, 64),  # 1: no pooling
    "pool_stride": whole(Fixed(0), 0, 64),  # 0: the pool's size
    "pool_padding": one_of(Fixed("same"), ("same", "valid")),
    "block_dropout": number(Fixed(0.0), above=0, below=1, zero=True),
}
_OVERRIDES: Mapping[str, Setting] = {
    "filters": whole(Fixed(0), 0, 4096),  # 0 and "rule": the setting of all blocks
    "kernel_size": whole(Fixed(0), 0, 31),
    "convolutions": whole(Fixed(0), 0, 16),
    "padding": one_of(Fixed("rule"), ("rule", "same", "valid")),
    "batch_norm": one_of(Fixed("rule"), ("rule", "none", "convolution", "pool")),
    "pool_size": whole(Fixed(0), 0, 64),
    "pool_stride": whole(Fixed(0), 0, 64),
    "pool_padding": one_of(Fixed("rule"), ("rule", "same", "valid")),
    "block_dropout": number(Fixed(0.0), above=0, below=1, zero=True),
}
OVERRIDE_SETTINGS: Mapping[str, Setting] = {
    f"{name}_{block}": setting for block in range(2, LAST_OVERRIDDEN + 1) for name, setting in _OVERRIDES.items()
}


@dataclass(frozen=True)
class Block:
    """Convolutions, each with its activation, then pooling, then dropout.

    Attributes:
        number: The block's place, from 1.
        batch_norm: The place of batch norm: ``convolution`` (after each one, before its activation),
            ``pool`` (after pooling), or ``none``.
        pool_size: 1 if the block does not pool.
    """

    number: int
    convolutions: int
    filters: int
    kernel_size: int
    padding: str
    activation: str
    batch_norm: str
    pool_size: int
    pool_stride: int
    pool_padding: str
    dropout: float


def plan_blocks(settings: Settings) -> tuple[Block, ...]:
    """Return the blocks that complete settings describe."""
    return tuple(_plan_block(settings, number) for number in range(1, int(settings["n_blocks"]) + 1))


def _plan_block(settings: Settings, number: int) -> Block:
    batch_norm = settings["batch_norm_after"] if settings["batch_norm"] else "none"
    filters = max(1, round(int(settings["filters"]) * float(settings["filters_growth"]) ** (number - 1)))
    rules = {**settings, "batch_norm": batch_norm, "filters": filters}
    own = {name: settings.get(f"{name}_{number}", 0) for name in _OVERRIDES}
    chosen = {**rules, **{name: value for name, value in own.items() if value not in (0, "rule")}}
    return Block(
        number=number,
        convolutions=int(chosen["convolutions"]),
        filters=int(chosen["filters"]),
        kernel_size=int(chosen["kernel_size"]),
        padding=str(chosen["padding"]),
        activation=str(chosen["activation"]),
        batch_norm=str(chosen["batch_norm"]),
        pool_size=int(chosen["pool_size"]),
        pool_stride=int(chosen["pool_stride"]) or int(chosen["pool_size"]),
        pool_padding=str(chosen["pool_padding"]),
        dropout=float(chosen["block_dropout"]),
    )


def add_block(block: Block, images: Any) -> Any:
    """Add the block's layers behind `images`, a Keras tensor of shape ``(batch, height, width, channels)``.

    Raises:
        ValueError: If the images are too small for it.
    """
    from keras import layers

    x = images
    for _ in range(block.convolutions):
        _check_room(block, x, "convolution", block.kernel_size, block.padding)
        x = layers.Conv2D(
            block.filters,
            block.kernel_size,
            padding=block.padding,
            use_bias=block.batch_norm != "convolution",  # batch norm has a bias of its own
        )(x)
        if block.batch_norm == "convolution":
            x = layers.BatchNormalization()(x)
        x = layers.Activation(block.activation)(x)
    if block.pool_size > 1:
        _check_room(block, x, "pooling", block.pool_size, block.pool_padding)
        x = layers.MaxPooling2D(block.pool_size, strides=block.pool_stride, padding=block.pool_padding)(x)
    if block.batch_norm == "pool":
        x = layers.BatchNormalization()(x)
    return layers.Dropout(block.dropout)(x) if block.dropout else x


def _check_room(block: Block, images: Any, what: str, size: int, padding: str) -> None:
    height, width = images.shape[1:3]
    if padding == "valid" and min(height, width) < size:
        setting = "padding" if what == "convolution" else "pool_padding"
        raise ValueError(
            f"block {block.number}: its {size}x{size} {what} does not fit on the {height}x{width} pixels left there. "
            f'Write {setting} = "same", fewer blocks, a smaller size of it, or a larger image_size'
        )
