"""Backbones of ``keras.applications`` with tunefront's head: transfer learning and fine-tuning.

Each brings its preprocessing into the model, so that a saved model takes raw pixels.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from tunefront.spaces.architectures.architecture import Architecture
from tunefront.spaces.architectures.backbone_weights import build_backbone
from tunefront.spaces.architectures.backbones import BACKBONES, Backbone, preprocess
from tunefront.spaces.candidate import Settings
from tunefront.spaces.freezing import freeze
from tunefront.spaces.ranges import Choice, Fixed, FloatRange, Value
from tunefront.spaces.settings import Setting, fraction, number, one_of, share, whole
from tunefront.spaces.trainable import TRAINABLE

# Trainable shares of 100 % ("All"), 90, 80, 70 and 20 %, and none of it ("Top").
_FREEZE_FRACTIONS = Choice((0.0, 0.1, 0.2, 0.3, 0.8, 1.0))


def add_pretrained(backbone: Backbone, settings: Settings, pixels: Any) -> Any:
    """Add the backbone's own preprocessing, the backbone as one nested layer, pooling and dense layers.

    The first ceil(f * N) of the backbone's N layers are frozen, f the freeze fraction. The settings
    ``head_epochs`` and ``fine_tuning_rate`` are for the training.
    """
    from keras import layers

    height, width, n_channels = pixels.shape[1:]
    if n_channels not in (1, 3):
        raise ValueError(f"{backbone.name} takes grey or colour images, these have {n_channels} channels")
    colour = layers.Concatenate()([pixels] * 3) if n_channels == 1 else pixels
    width_factor = float(settings.get("width", 1.0))
    network = build_backbone(backbone, str(settings["weights"]), width_factor, (height, width))
    _set_momentum(network, float(settings.get("norm_momentum", 0.0)))
    freeze(network, float(settings["freeze_fraction"]))
    x = network(preprocess(backbone.preprocessing, colour))
    match settings["pooling"]:
        case "average":
            x = layers.GlobalAveragePooling2D()(x)
        case "max":
            x = layers.GlobalMaxPooling2D()(x)
        case _:
            x = layers.Flatten()(x)
    for name in ("dense_units", "dense_units_2"):
        if settings[name]:
            x = layers.Dense(int(settings[name]), activation="relu")(x)
    return layers.Dropout(float(settings["dropout"]))(x) if settings["dropout"] else x


def _set_momentum(network: Any, momentum: float) -> None:
    """Give every batch normalization this momentum; 0 leaves each its own, which may follow training for 5000 steps."""
    from keras import layers

    for layer in network.layers:
        if momentum and isinstance(layer, layers.BatchNormalization):
            layer.momentum = momentum


def _is_weights(value: Value) -> bool:
    return isinstance(value, str) and (value in ("imagenet", "none") or value.endswith(".h5"))


def _architecture(backbone: Backbone) -> Architecture:
    settings = {
        "freeze_fraction": replace(fraction(_FREEZE_FRACTIONS), spelling=TRAINABLE),
        "pooling": one_of(Fixed("average"), ("average", "max", "flatten")),
        "dense_units": whole(Fixed(0), 0, 65536),  # 0: no such layer
        "dense_units_2": whole(Fixed(0), 0, 65536),
        "dropout": number(FloatRange(0.0, 0.5, step=0.1), above=0, below=1, zero=True),
        "norm_momentum": number(Fixed(0.0), above=0, below=1, zero=True),  # 0: the backbone's own
        "weights": Setting(Fixed("imagenet"), _is_weights, "imagenet, none, or the path of a .weights.h5 file"),
        "head_epochs": whole(Fixed(0), 0, 10_000),  # before the backbone is trained too
        "fine_tuning_rate": share(Fixed(0.1)),  # multiplies the learning rate after the head's epochs
    }
    if backbone.imagenet_widths:
        settings["width"] = number(Fixed(1.0), above=1 / 32, below=10)  # a smaller width leaves layers without a filter
    return Architecture(
        name=backbone.name,
        description=f"{backbone.name} of keras.applications, pretrained on ImageNet, with a head of its own",
        settings=settings,
        layers=partial(add_pretrained, backbone),
        smallest_image=backbone.smallest_image,
    )


PRETRAINED = tuple(_architecture(backbone) for backbone in BACKBONES.values())
