"""ONNX Runtime. The one file that imports `onnxruntime`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray


class OnnxModel:
    """An ``.onnx`` file that is loaded to answer one image at a time on the CPU.

    Args:
        n_threads: The number of CPU threads.
    """

    def __init__(self, path: Path, n_threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        (self._input,) = self._session.get_inputs()
        (self._output,) = self._session.get_outputs()

    def describe_ends(self) -> dict[str, dict[str, Any]]:
        """Return what the input takes and the output gives: shape of one image, type, and how numbers are quantized."""
        return {"input": _describe(self._input), "output": _describe(self._output)}

    def prepare(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return an image of raw values as the batch of one that the file's input takes."""
        return image[np.newaxis].astype(np.float32)

    def run(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Return the output for a prepared batch of one, as the file gives it."""
        output: NDArray[Any] = self._session.run(None, {self._input.name: batch})[0]
        return output

    def answer(self, image: NDArray[Any]) -> NDArray[np.float64]:
        """Return the probabilities for an image of raw values."""
        return np.asarray(self.run(self.prepare(image))[0], np.float64)


def _describe(end: Any) -> dict[str, Any]:
    shape = [size if isinstance(size, int) else 1 for size in end.shape]
    return {"name": end.name, "shape": shape, "dtype": "float32", "scale": 0.0, "zero_point": 0}
