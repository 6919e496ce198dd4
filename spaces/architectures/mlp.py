"""Dense networks for features in a row: the columns of a table, or any values flattened."""

from __future__ import annotations

from typing import Any

from tunefront.spaces.architectures.architecture import Architecture
from tunefront.spaces.candidate import Settings
from tunefront.spaces.ranges import Choice, Fixed, FloatRange, IntRange
from tunefront.spaces.settings import flag, number, one_of, whole


def add_mlp(settings: Settings, features: Any) -> Any:
    """Add dense layers behind `features`, each with batch norm before its activation and dropout behind it, if wanted.

    Each layer has `units_growth` times the units of the one before. Without layers, the class layer alone is left: a
    linear model.
    """
    from keras import layers

    x = features
    for layer in range(int(settings["n_layers"])):
        units = max(1, round(int(settings["units"]) * float(settings["units_growth"]) ** layer))
        x = layers.Dense(units, use_bias=not settings["batch_norm"])(x)  # batch norm has a bias of its own
        if settings["batch_norm"]:
            x = layers.BatchNormalization()(x)
        x = layers.Activation(str(settings["activation"]))(x)
        if settings["dropout"]:
            x = layers.Dropout(float(settings["dropout"]))(x)
    return x


MLP = Architecture(
    name="mlp",
    description="Dense layers on the columns of a table, or on other values flattened to one row",
    settings={
        "n_layers": whole(IntRange(1, 3), 0, 12),
        "units": whole(Choice((16, 32, 64, 128)), 1, 65536),
        "units_growth": number(Fixed(1.0), above=0, below=64),  # each layer has so many times the units before it
        "activation": one_of(Fixed("relu"), ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "tanh")),
        "batch_norm": flag(Choice((False, True))),
        "dropout": number(FloatRange(0.0, 0.5, step=0.1), above=0, below=1, zero=True),
    },
    layers=add_mlp,
    takes_images=False,
)
