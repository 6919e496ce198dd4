"""The optimizers a study can choose from, each with the ranges that suit it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunefront.spaces.candidate import Settings
from tunefront.spaces.ranges import Choice, Fixed, FloatRange
from tunefront.spaces.settings import Setting, flag, number


def _rate(low: float, high: float) -> Setting:
    return number(FloatRange(low, high, log=True), above=0, below=100)


# Weight decay is decoupled from the gradient (arXiv 1711.05101) in each of Keras's optimizers.
_WEIGHT_DECAY = number(Fixed(0.0), above=0, below=10, zero=True)

OPTIMIZERS: Mapping[str, Mapping[str, Setting]] = {
    "sgd": {
        "learning_rate": _rate(1e-3, 3e-1),
        "momentum": number(Choice((0.0, 0.9)), above=0, below=1, zero=True),
        "nesterov": flag(Fixed(False)),
        "weight_decay": _WEIGHT_DECAY,
    },
    "adam": {"learning_rate": _rate(1e-4, 1e-2), "weight_decay": _WEIGHT_DECAY},
    "adamw": {
        "learning_rate": _rate(1e-4, 1e-2),
        "weight_decay": number(FloatRange(1e-5, 1e-1, log=True), above=0, below=10, zero=True),
    },
    "nadam": {"learning_rate": _rate(1e-4, 1e-2), "weight_decay": _WEIGHT_DECAY},
    "adamax": {"learning_rate": _rate(2e-4, 2e-2), "weight_decay": _WEIGHT_DECAY},
    "rmsprop": {
        "learning_rate": _rate(1e-4, 1e-2),
        "momentum": number(Fixed(0.0), above=0, below=1, zero=True),
        "weight_decay": _WEIGHT_DECAY,
    },
    "adagrad": {"learning_rate": _rate(1e-3, 1e-1), "weight_decay": _WEIGHT_DECAY},
    # Adadelta's paper uses 1 (arXiv 1212.5701); Keras's default of 0.001 hardly moves.
    "adadelta": {"learning_rate": _rate(1e-1, 3.0), "weight_decay": _WEIGHT_DECAY},
    # Lion's updates are signs, so its rate is 3 to 10 times below Adam's (arXiv 2302.06675).
    "lion": {"learning_rate": _rate(3e-5, 3e-3), "weight_decay": _WEIGHT_DECAY},
}

_KERAS_NAMES = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "nadam": "Nadam",
    "adamax": "Adamax",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "lion": "Lion",
}


def build_optimizer(name: str, settings: Settings, learning_rate: Any = None) -> Any:
    """Build the Keras optimizer of that name, new and without variables.

    Args:
        learning_rate: A number or a Keras schedule that replaces the learning rate of the settings.
    """
    import keras

    # Keras refuses some whole numbers in place of floats, such as momentum = 0.
    arguments: dict[str, Any] = {
        key: value if isinstance(value, bool) else float(value)
        for key, value in settings.items()
        if key != "weight_decay" or value
    }
    if learning_rate is not None:
        arguments["learning_rate"] = learning_rate
    if name == "adamw":  # Keras's own default for it is 0.004
        arguments.setdefault("weight_decay", 0.0)
    return getattr(keras.optimizers, _KERAS_NAMES[name])(**arguments)
