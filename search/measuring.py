"""Memory and time of one candidate, as docs/measures.md defines them. Runs in the trial process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

_LATENCY_CALLS = 30


def model_bytes(model: Any, optimizer: Any) -> int:
    """Bytes of all variables with the optimizer's, which `optimizer.build` must have made."""
    return weight_bytes(model) + sum(_n_bytes(variable) for variable in optimizer.variables)


def weight_bytes(model: Any) -> int:
    """Bytes of the model's weights, trainable or not."""
    return sum(_n_bytes(variable) for variable in model.weights)


def n_parameters(variables: list[Any]) -> int:
    """Numbers in `variables`."""
    return sum(int(np.prod(variable.shape)) for variable in variables)


def _n_bytes(variable: Any) -> int:
    # bfloat16 is no NumPy type, so the size comes from the name's digits: float32 -> 4.
    digits = "".join(character for character in str(variable.dtype) if character.isdigit())
    return int(np.prod(variable.shape)) * (max(int(digits) // 8, 1) if digits else 1)


class PeakMemory:
    """The peak of memory from its creation on: of the GPU's allocator, else of this process."""

    def __init__(self) -> None:
        self._on_device = _device_peak_reader()
        self._bytes_at_start = 0 if self._on_device else _process_memory("VmRSS")

    def bytes(self) -> int | None:
        """The peak so far; None where neither device nor system tells it."""
        if self._on_device:
            return self._on_device()
        peak = _process_memory("VmHWM")
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


def _process_memory(field: str) -> int:
    """``VmRSS`` or ``VmHWM`` in bytes; 0 where there is no /proc. (``ru_maxrss`` inherits the parent's.)"""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    line = next((line for line in status.read_text().splitlines() if line.startswith(f"{field}:")), "")
    return int(line.split()[1]) * 1024 if line else 0


def latency_seconds(model: Any, image: np.ndarray[Any, Any]) -> float:
    """Seconds to predict one image of shape (height, width, channels): median of 30 calls, warmed up."""
    batch = image[np.newaxis].astype("float32")
    for _ in range(3):
        model.predict_on_batch(batch)
    seconds = []
    for _ in range(_LATENCY_CALLS):
        start = time.perf_counter()
        model.predict_on_batch(batch)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


class EpochTimer(keras.callbacks.Callback):  # type: ignore[misc]
    """Times training, validation and compiling apart.

    The first batch of the first epoch also traces and compiles, and so may the last one, whose shape
    can differ: there, what they take above the epoch's median batch counts as compiling. An epoch of
    fewer than three batches has no such median; its first epoch then counts as a later one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.compile_seconds = 0.0
        self._train: list[float] = []
        self._validation: list[float] = []
        self._batches: list[float] = []
        self._n_batches = 0

    @property
    def train_seconds(self) -> float:
        """Of all epochs so far."""
        return self._total(self._train)

    @property
    def validation_seconds(self) -> float:
        """Of all epochs so far; the first one, which compiles, counts as a later one."""
        later = self._validation[1:]
        return statistics.median(later) * len(self._validation) if later else sum(self._validation)

    @property
    def last_train_seconds(self) -> float:
        return self._train[-1]

    @property
    def last_validation_seconds(self) -> float:
        return self._validation[-1] if self._validation else 0.0

    def _total(self, epochs: list[float]) -> float:
        has_median = self._n_batches >= 3
        if has_median or len(epochs) < 2:
            return sum(epochs)
        return sum(epochs[1:]) + statistics.median(epochs[1:])

    def on_train_begin(self, logs: Any = None) -> None:
        self._fit_began = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_began = time.perf_counter()
        self._last_batch_ended = self._epoch_began

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batch_began = time.perf_counter()
        if not self._train and batch == 0:  # all before the very first batch was set-up
            self.compile_seconds += self._batch_began - self._fit_began
            self._epoch_began = self._batch_began

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        is_first_epoch = not self._train
        steps = self.params.get("steps")
        if is_first_epoch or steps is None or batch == steps - 1:
            float(logs["loss"])  # waits until the device is done
        self._last_batch_ended = time.perf_counter()
        if is_first_epoch:
            self._batches.append(self._last_batch_ended - self._batch_began)

    def on_test_begin(self, logs: Any = None) -> None:
        self._test_began = time.perf_counter()

    def on_test_end(self, logs: Any = None) -> None:
        self._validation.append(time.perf_counter() - self._test_began)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = self._last_batch_ended - self._epoch_began
        if not self._train:
            self._n_batches = len(self._batches)
            compiling = self._excess_of_new_shapes()
            self.compile_seconds += compiling
            seconds -= compiling
        self._train.append(seconds)

    def _excess_of_new_shapes(self) -> float:
        if self._n_batches < 3:
            return 0.0
        usual = statistics.median(self._batches[1:-1])
        return sum(max(seconds - usual, 0.0) for seconds in (self._batches[0], self._batches[-1]))
