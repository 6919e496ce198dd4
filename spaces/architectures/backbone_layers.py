"""Which layers of each backbone learn: known without Keras, so that a supervisor can tell two freeze fractions apart.

``backbone_layers.txt`` has a line for each structure of a backbone: its name, its number of layers, and a hexadecimal
number whose highest bit is the first layer, 1 where the layer has weights that training changes. What has none
(inputs, pooling, activations, dropout, fixed normalization) does the same whether it is frozen or not. MobileNetV2 and
MobileNetV3 have several structures: where a width rounds two stages to the same filters, Keras adds a shortcut.
``make backbone-layers`` writes the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tunefront.spaces.freezing import n_frozen_layers

FILE = Path(__file__).with_suffix(".txt")


def n_learning_frozen(backbone: str, freeze_fraction: float) -> tuple[int, ...]:
    """How many layers that learn a freeze fraction keeps from it, in each structure that the backbone may have.

    Two fractions with the same numbers train the same layers.
    """
    return tuple(
        learns[: n_frozen_layers(len(learns), freeze_fraction)].count("1") for learns in structures()[backbone]
    )


@cache
def structures() -> Mapping[str, tuple[str, ...]]:
    """Read, for each backbone, a text for each of its structures: 1 for a layer that learns, 0 for another."""
    found: dict[str, tuple[str, ...]] = {}
    for line in FILE.read_text(encoding="ascii").splitlines():
        name, n_layers, bits = line.split()
        found[name] = (*found.get(name, ()), f"{int(bits, 16):0{n_layers}b}")
    return found
