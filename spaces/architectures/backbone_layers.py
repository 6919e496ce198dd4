"""The layers of each backbone that learn, known without Keras, so that a supervisor can tell freeze fractions apart.

``backbone_layers.txt`` has a line for each structure of a backbone: its name, its number of layers, and a hexadecimal
number whose highest bit is the first layer. A bit is 1 if training changes the layer's weights. Other layers (inputs,
pooling, activations, dropout, fixed normalization) do the same whether they are frozen or not. MobileNetV2 and
MobileNetV3 have several structures: if a width rounds two stages to the same filters, Keras adds a shortcut.
``make backbone-layers`` writes the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tunefront.spaces.freezing import n_frozen_layers

FILE = Path(__file__).with_suffix(".txt")


def n_learning_frozen(backbone: str, freeze_fraction: float) -> tuple[int, ...]:
    """Return how many learning layers a freeze fraction freezes, for each structure that the backbone may have.

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
