"""The variants of a deployed model: a precision and a runtime each, and how near each must be to Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Precision = Literal["float32", "float16", "dynamic", "int8"]
Runtime = Literal["litert", "onnx", "micro"]
RUNTIMES: tuple[Runtime, ...] = ("litert", "onnx", "micro")

CLASS_AGREEMENT = 0.95  # share of images with the same class as in Keras, for precisions whose probabilities may move


@dataclass(frozen=True)
class Variant:
    """A way to deploy a model.

    Attributes:
        name: Its name in tables: a precision of LiteRT, or ``onnx``.
        runtime: The runtime that its file is made for.
        suffix: The end of its file's name.
        tolerance: The largest difference of a probability from Keras's; None where the classes are compared.
        description: What the weights and the values between the layers are.
    """

    name: str
    runtime: Runtime
    suffix: str
    tolerance: float | None
    description: str

    @property
    def runs_on_micro(self) -> bool:
        """Whether the interpreter of microcontrollers runs such files."""
        return self.name in MICRO_PRECISIONS


MICRO_PRECISIONS = ("float32", "int8")  # it refuses files whose weights and values have different types
_ALL_VARIANTS = (
    Variant("float32", "litert", ".float32.tflite", 1e-4, "weights and values as they were trained"),
    Variant("float16", "litert", ".float16.tflite", 1e-2, "weights of 16 bits, values of 32"),
    Variant("dynamic", "litert", ".dynamic.tflite", None, "weights of 8 bits, values of 32"),
    Variant("int8", "litert", ".int8.tflite", None, "weights and values of 8 bits, inputs and outputs too"),
    Variant("onnx", "onnx", ".onnx", 1e-4, "weights and values as they were trained, for ONNX Runtime"),
)
VARIANTS: Mapping[str, Variant] = {variant.name: variant for variant in _ALL_VARIANTS}
