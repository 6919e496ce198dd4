"""Build every backbone, and write down which of its layers learn: ``make backbone-layers``, a few minutes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

from tunefront.spaces.architectures.backbone_layers import FILE
from tunefront.spaces.architectures.backbone_weights import build_backbone
from tunefront.spaces.architectures.backbones import BACKBONES, Backbone

# With 1 and ImageNet's widths, these have every structure that 29 widths from 0.032 to 3 have.
_NARROW = (0.2, 0.04)


def learns(layer: Any) -> bool:
    """Return whether training changes the layer: its weights, or the averages of its batch norm."""
    import keras

    layers = list(layer._flatten_layers())
    return bool(layer.trainable_weights) or any(isinstance(one, keras.layers.BatchNormalization) for one in layers)


def structure(network: Any) -> str:
    """1 or 0 for each layer of a backbone that is not frozen."""
    return "".join("1" if learns(layer) else "0" for layer in network.layers)


def structures(backbone: Backbone) -> Iterator[str]:
    """Yield each structure that the backbone has at some widths and image sizes, once."""
    import keras

    smallest = backbone.smallest_image
    widths = (1.0, *backbone.imagenet_widths, *_NARROW) if backbone.imagenet_widths else (1.0,)
    cases = [(width, (smallest, smallest)) for width in widths] + [(1.0, (224, 150))]
    found: set[str] = set()
    for width, size in cases:
        this = structure(build_backbone(backbone, "none", width, size))
        keras.utils.clear_session()
        gc.collect()
        if this not in found:
            found.add(this)
            yield this


def main() -> None:
    """Write the file."""
    lines = []
    for name, backbone in BACKBONES.items():
        lines += [f"{name} {len(one)} {int(one, 2):x}" for one in structures(backbone)]
        print(lines[-1][:100], flush=True)
    FILE.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


if __name__ == "__main__":
    main()
