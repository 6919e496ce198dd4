"""The weights of a model that penalties pull towards zero: its kernels, not biases or the scales of norms."""

from __future__ import annotations

from typing import Any

_UNPENALIZED_NAMES = (
    "bias",
    "gamma",
    "beta",
    "alpha",
    "scale",
)  # also if they have two dimensions, such as a GRU's bias


def kernels_of(model: Any) -> list[Any]:
    """Return the model's trainable weights of two and more dimensions, but no biases or scales of norms and PReLU.

    l1, l2 and weight decay act on these alone, as is usual.
    """
    return [
        weight
        for weight in model.trainable_variables
        if len(weight.shape) > 1 and weight.name not in _UNPENALIZED_NAMES
    ]


def without_decay(model: Any) -> list[Any]:
    """Return the model's other trainable weights; see ``exclude_from_weight_decay`` of Keras's optimizers."""
    kernels = {id(weight) for weight in kernels_of(model)}
    return [weight for weight in model.trainable_variables if id(weight) not in kernels]
