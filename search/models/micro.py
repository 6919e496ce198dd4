"""TensorFlow Lite Micro, the interpreter of microcontrollers. The one file that imports `tflite_micro`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tflite_micro.python.tflite_micro import runtime

from tunefront.search.models.quantization import dequantize, quantize

# The interpreter wants to be given an arena before it knows how much it needs. Pages that it does not use are never
# taken from the system.
_ARENA_BYTES = 2**28


class MicroModel:
    """A ``.tflite`` file in the interpreter of microcontrollers, which answers one image at a time."""

    def __init__(self, path: Path, n_threads: int = 1) -> None:
        self._interpreter = runtime.Interpreter.from_file(str(path), arena_size=_ARENA_BYTES)
        self._input = self._interpreter.get_input_details(0)
        self._output = self._interpreter.get_output_details(0)

    def describe_ends(self) -> dict[str, dict[str, Any]]:
        """Return nothing: LiteRT describes the same file."""
        return {}

    def prepare(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return an image of raw values as the batch of one that the file's input takes."""
        return quantize(image[np.newaxis], self._input["dtype"], *_scale(self._input))

    def run(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Return the output for a prepared batch of one, as the file gives it."""
        self._interpreter.set_input(batch, 0)
        self._interpreter.invoke()
        output: NDArray[Any] = self._interpreter.get_output(0)
        return output

    def answer(self, image: NDArray[Any]) -> NDArray[np.float64]:
        """Return the probabilities for an image of raw values."""
        return dequantize(self.run(self.prepare(image))[0], *_scale(self._output))

    def print_arena(self) -> None:
        """Print how much of its arena the model needs, from below Python, for :func:`read_arena` in another process."""
        self._interpreter.print_allocations()


def _scale(details: Any) -> tuple[float, int]:
    parameters = details["quantization_parameters"]
    if not len(parameters["scales"]):
        return 0.0, 0
    return float(parameters["scales"][0]), int(parameters["zero_points"][0])
