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
