"""Memory and time of one candidate, as docs/measures.md defines them. Runs in the trial process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tunefront.search.trial.file_size import saved_bytes, variable_bytes

_LATENCY_CALLS = 30


def model_bytes(model: Any, optimizer: Any) -> int:
    """Bytes of the saved model with its optimizer's state, whose variables `optimizer.build` must have made."""
    return saved_bytes(model, optimizer)


def weight_bytes(model: Any) -> int:
    """Bytes of the model's weights, trainable or not."""
    return sum(variable_bytes(variable) for variable in model.weights)


def n_parameters(variables: list[Any]) -> int:
    """Numbers in `variables`."""
    return sum(int(np.prod(variable.shape)) for variable in variables)


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

    The first batch of the first epoch of a `fit` also traces and compiles, and so may the last one,
    whose shape can differ: there, what they take above the epoch's median batch counts as compiling.
    An epoch of fewer than three batches has no such median; a first epoch then counts as a later one.
    It can watch several fits one after another, the phases of one training.
    """

    def __init__(self) -> None:
        super().__init__()
        self.compile_seconds = 0.0
        self._train: list[float] = []
        self._validation: list[float] = []
        self._batches: list[float] = []
        self._is_first_epoch = True
        self._compiling_epochs: set[int] = set()  # whose compiling could not be told apart

    @property
    def train_seconds(self) -> float:
        """Of all epochs so far."""
        settled = [seconds for epoch, seconds in enumerate(self._train) if epoch not in self._compiling_epochs]
        if not settled:
            return sum(self._train)
        return sum(settled) + statistics.median(settled) * len(self._compiling_epochs)

    @property
    def validation_seconds(self) -> float:
        """Of all epochs so far; the first one, which compiles, counts as a later one."""
        later = self._validation[1:]
        return statistics.median(later) * len(self._validation) if later else sum(self._validation)

    def add_validation(self, seconds: float) -> None:
        """An epoch's validation took so long."""
        self._validation.append(seconds)

    @property
    def last_train_seconds(self) -> float:
        return self._train[-1]

    @property
    def last_validation_seconds(self) -> float:
        return self._validation[-1] if self._validation else 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        self._fit_began = time.perf_counter()
        self._is_first_epoch = True
        self._batches = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_began = time.perf_counter()
        self._last_batch_ended = self._epoch_began

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batch_began = time.perf_counter()
        if self._is_first_epoch and batch == 0:  # all before the very first batch was set-up
            self.compile_seconds += self._batch_began - self._fit_began
            self._epoch_began = self._batch_began

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        steps = self.params.get("steps")
        if self._is_first_epoch or steps is None or batch == steps - 1:
            float(logs["loss"])  # waits until the device is done
        self._last_batch_ended = time.perf_counter()
        if self._is_first_epoch:
            self._batches.append(self._last_batch_ended - self._batch_began)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = self._last_batch_ended - self._epoch_began
        if self._is_first_epoch:
            if len(self._batches) >= 3:
                compiling = self._excess_of_new_shapes()
                self.compile_seconds += compiling
                seconds -= compiling
            else:
                self._compiling_epochs.add(len(self._train))
            self._is_first_epoch = False
        self._train.append(seconds)

    def _excess_of_new_shapes(self) -> float:
        usual = statistics.median(self._batches[1:-1])
        return sum(max(seconds - usual, 0.0) for seconds in (self._batches[0], self._batches[-1]))
