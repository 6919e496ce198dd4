"""The memory measures of one candidate, as docs/measures.md defines them. They run in the trial process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tunefront.search.models.file_size import saved_bytes, variable_bytes
from tunefront.search.system.process_memory import process_memory


def model_bytes(model: Any, optimizer: Any) -> int:
    """Return the bytes of the saved model with its optimizer's state, after `optimizer.build` made its variables."""
    return saved_bytes(model, optimizer)


def weight_bytes(model: Any) -> int:
    """Return the bytes of the model's weights, trainable or not."""
    return sum(variable_bytes(variable) for variable in model.weights)


def n_parameters(variables: list[Any]) -> int:
    """Return the count of numbers in `variables`."""
    return sum(int(np.prod(variable.shape)) for variable in variables)


class PeakMemory:
    """The peak of memory since its creation: that of the GPU's allocator, or else of this process.

    Args:
        is_known: Whether a peak from here on tells a training; it does not where an earlier one has left memory behind.
    """

    def __init__(self, *, is_known: bool = True) -> None:
        self._is_known = is_known
        self._on_device = _device_peak_reader()
        self._bytes_at_start = 0 if self._on_device else process_memory("VmRSS")

    def bytes(self) -> int | None:
        """Return the peak so far; None if neither device nor system tells it."""
        if not self._is_known:
            return None
        if self._on_device:
            return self._on_device()
        peak = process_memory("VmHWM")
        return None if peak == 0 else max(peak - self._bytes_at_start, 0)


def _device_peak_reader() -> Callable[[], int] | None:
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        if tf.config.list_physical_devices("GPU"):
            tf.config.experimental.reset_memory_stats("GPU:0")
            return lambda: int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    elif backend == "jax":
        import jax

        device = jax.devices()[0]
        if device.memory_stats():  # None on a CPU
            return lambda: int(device.memory_stats()["peak_bytes_in_use"])
    return None
