"""A small residual network: He et al., "Deep residual learning for image recognition", arXiv 1512.03385."""

from __future__ import annotations

from typing import Any

from tunefront.spaces.architectures.architecture import Architecture
from tunefront.spaces.candidate import Settings
from tunefront.spaces.ranges import Choice, Fixed, FloatRange, IntRange
from tunefront.spaces.settings import number, one_of, whole


def add_residual_cnn(settings: Settings, pixels: Any) -> Any:
    """Add a stem, stages of basic blocks, and global average pooling.

    Each stage has twice the filters of the one before and half its height and width. With 4 stages of 2
    blocks, 64 filters and the large stem this is the paper's ResNet-18. The small stem is that of the paper's
    CIFAR networks, but here it may have more than three stages. Shortcuts that change shape are projections
    (the paper's option B).
    """
    from keras import layers

    filters = int(settings["filters"])
    x = layers.Rescaling(1 / 255)(pixels)
    if settings["stem"] == "large":
        x = _normalized_convolution(x, filters, 7, stride=2)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(layers.Activation("relu")(x))
    else:
        x = layers.Activation("relu")(_normalized_convolution(x, filters, 3))
    for stage in range(int(settings["n_stages"])):
        for block in range(int(settings["n_blocks"])):
            x = _basic_block(x, filters * 2**stage, stride=2 if stage and not block else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dropout(float(settings["dropout"]))(x) if settings["dropout"] else x


def _basic_block(images: Any, filters: int, stride: int) -> Any:
    from keras import layers

    x = layers.Activation("relu")(_normalized_convolution(images, filters, 3, stride))
    x = _normalized_convolution(x, filters, 3)
    shortcut = images
    if images.shape != x.shape:
        shortcut = _normalized_convolution(images, filters, 1, stride)
    return layers.Activation("relu")(layers.Add()([x, shortcut]))


def _normalized_convolution(images: Any, filters: int, kernel_size: int, stride: int = 1) -> Any:
    from keras import layers

    convolution = layers.Conv2D(
        filters, kernel_size, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal"
    )
    return layers.BatchNormalization()(convolution(images))


RESIDUAL_CNN = Architecture(
    name="residual_cnn",
    description="A small ResNet: stages of basic blocks with batch norm, global average pooling (arXiv 1512.03385)",
    settings={
        "n_stages": whole(IntRange(2, 4), 1, 7),
        "n_blocks": whole(IntRange(1, 3), 1, 32),  # in each stage
        "filters": whole(Choice((16, 32, 64)), 1, 1024),  # of the first stage
        "stem": one_of(Fixed("small"), ("small", "large")),  # large: 7x7 in steps of 2 and pooling, for large images
        "dropout": number(FloatRange(0.0, 0.5, step=0.1), above=0, below=1, zero=True),
    },
    layers=add_residual_cnn,
)
