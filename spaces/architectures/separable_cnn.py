"""A small depthwise-separable network: Howard et al., "MobileNets", arXiv 1704.04861."""

from __future__ import annotations

from typing import Any

from tunefront.spaces.architectures.architecture import Architecture
from tunefront.spaces.candidate import Settings
from tunefront.spaces.ranges import Choice, Fixed, FloatRange, IntRange
from tunefront.spaces.settings import number, whole


def add_separable_cnn(settings: Settings, pixels: Any) -> Any:
    """Add a 3x3 convolution, stages of separable blocks, and global average pooling.

    Each stage has twice the filters of the one before and half its height and width. The paper's
    stages differ in length; here they are equally long.
    """
    from keras import layers

    filters = int(settings["filters"]) * float(settings["width"])
    x = layers.Rescaling(1 / 255)(pixels)
    x = layers.Conv2D(_whole(filters), 3, strides=int(settings["stem_stride"]), padding="same", use_bias=False)(x)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    for stage in range(int(settings["n_stages"])):
        for block in range(int(settings["n_blocks"])):
            x = _separable_block(x, _whole(filters * 2 ** (stage + 1)), stride=2 if stage and not block else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dropout(float(settings["dropout"]))(x) if settings["dropout"] else x


def _separable_block(images: Any, filters: int, stride: int) -> Any:
    from keras import layers

    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(images)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    x = layers.Conv2D(filters, 1, use_bias=False)(x)
    return layers.Activation("relu")(layers.BatchNormalization()(x))


def _whole(filters: float) -> int:
    return max(1, round(filters))


SEPARABLE_CNN = Architecture(
    name="separable_cnn",
    description="A small MobileNet: stages of depthwise-separable convolutions with batch norm (arXiv 1704.04861)",
    settings={
        "n_stages": whole(IntRange(2, 4), 1, 7),
        "n_blocks": whole(IntRange(1, 3), 1, 32),  # in each stage
        "filters": whole(Choice((16, 32)), 1, 1024),  # of the first convolution; the first stage has twice as many
        "width": number(Choice((0.5, 0.75, 1.0)), above=0, below=8),  # multiplies all filters
        "stem_stride": whole(Fixed(1), 1, 4),  # 2 for large images
        "dropout": number(FloatRange(0.0, 0.5, step=0.1), above=0, below=1, zero=True),
    },
    layers=add_separable_cnn,
)
