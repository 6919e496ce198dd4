"""Networks that are trained from scratch, and their layers in a few words."""

from __future__ import annotations

from typing import Any

from tunefront.spaces.candidate import Candidate
from tunefront.spaces.space import Space

CLASSES = "Dense classes"


def build(
    architecture: str,
    settings: dict[str, Any],
    image_shape: tuple[int, int, int] = (8, 8, 1),
    n_classes: int = 10,
    output: str = "softmax",
) -> Any:
    candidate = Candidate(architecture, settings, "adam", {"learning_rate": 0.001}, output=output)
    return Space.from_table({}).build(candidate, image_shape, n_classes)


def described(model: Any) -> list[str]:
    """Return what each layer between the scaled pixels and the end is, in a few words."""
    assert [type(layer).__name__ for layer in model.layers[:2]] == ["InputLayer", "Rescaling"]
    return [_describe(layer) for layer in model.layers[2:]]


def _describe(layer: Any) -> str:
    match type(layer).__name__:
        case "Conv2D":
            assert layer.strides == (1, 1)
            return f"Conv {layer.filters} {layer.kernel_size[0]} {layer.padding}"
        case "MaxPooling2D":
            return f"Pool {layer.pool_size[0]}/{layer.strides[0]} {layer.padding}"
        case "Activation":
            return str(layer.activation.__name__)
        case "Dropout":
            return f"Dropout {layer.rate}"
        case "Dense":
            return CLASSES if layer.name == "classes" else f"Dense {layer.units} {layer.activation.__name__}"
        case other:
            return {"BatchNormalization": "BN"}.get(other, other)
