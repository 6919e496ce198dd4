"""LiteRT, the runtime of phones and small computers. The one file that imports `ai_edge_litert`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from tunefront.search.models.quantization import dequantize, quantize


class LiteRtModel:
    """A ``.tflite`` file that is loaded to answer one image at a time.

    Args:
        n_threads: The number of CPU threads.
    """

    def __init__(self, path: Path, n_threads: int = 1) -> None:
        self._interpreter = Interpreter(str(path), num_threads=n_threads)
        self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()

    def describe_ends(self) -> dict[str, dict[str, Any]]:
        """Return what the input takes and the output gives: shape of one image, type, and how numbers are quantized."""
        return {"input": _describe(self._input), "output": _describe(self._output)}

    def prepare(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return an image of raw values as the batch of one that the file's input takes."""
        return quantize(image[np.newaxis], self._input["dtype"], *self._input["quantization"])

    def run(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Return the output for a prepared batch of one, as the file gives it."""
        self._interpreter.set_tensor(self._input["index"], batch)
        self._interpreter.invoke()
        output: NDArray[Any] = self._interpreter.get_tensor(self._output["index"])
        return output

    def answer(self, image: NDArray[Any]) -> NDArray[np.float64]:
        """Return the probabilities for an image of raw values."""
        return dequantize(self.run(self.prepare(image))[0], *self._output["quantization"])


def _describe(details: Any) -> dict[str, Any]:
    scale, zero_point = details["quantization"]
    return {
        "name": details["name"],
        "shape": [int(size) for size in details["shape"]],
        "dtype": np.dtype(details["dtype"]).name,
        "scale": float(scale),  # a float is (number - zero_point) * scale; 0 where numbers stand for themselves
        "zero_point": int(zero_point),
    }
