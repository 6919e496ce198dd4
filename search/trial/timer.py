"""The time measures of one candidate, as docs/measures.md defines them. They run in the trial process."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from tunefront.objectives.measures import PART_SECONDS

_LATENCY_CALLS = 30


def latency_seconds(model: Any, image: np.ndarray[Any, Any]) -> float:
    """Return the seconds to predict one image of shape (height, width, channels): the median of 30 warm calls."""
    batch = image[np.newaxis].astype("float32")
    for _ in range(3):
        model.predict_on_batch(batch)
    seconds = []
    for _ in range(_LATENCY_CALLS):
        start = time.perf_counter()
        model.predict_on_batch(batch)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


class PartTimer:
    """A timer of the parts of a trial's process that are not its epochs, none within another.

    Attributes:
        measurements: The seconds of the parts that have been timed, by the names of their measurements.
    """

    def __init__(self) -> None:
        self.measurements: dict[str, float] = {}

    def add(self, part: str, seconds: float) -> None:
        """Add seconds to one of :data:`PART_SECONDS`."""
        name = PART_SECONDS[part]
        self.measurements[name] = self.measurements.get(name, 0.0) + seconds

    @contextlib.contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add the time that is spent inside to one of :data:`PART_SECONDS`."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(part, time.monotonic() - began)


class EpochTimer(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback that measures training, validation and compiling separately.

    The first batch of the first epoch of a `fit` also traces and compiles, and so may the last one, whose shape can
    differ. The time that they take beyond the epoch's median batch counts as compiling. An epoch of fewer than three
    batches has no such median; a first epoch then counts as a later one. The callback can watch several fits one after
    another, the phases of one training. A fit that goes on in another process compiles again, which counts like the
    first time, and in its place.
    """

    def __init__(self) -> None:
        super().__init__()
        self._compile: list[float] = []  # of each fit
        self._train: list[float] = []
        self._validation: list[float] = []
        self._batches: list[float] = []
        self._is_first_epoch = True
        self._compiling_epochs: set[int] = set()  # epochs whose compiling could not be separated
        self._compiling_validations = {0}  # the first one of each process

    def state(self) -> dict[str, Any]:
        """Return what was measured so far, as JSON data."""
        return {
            "compile": self._compile,
            "train": self._train,
            "validation": self._validation,
            "compiling_epochs": sorted(self._compiling_epochs),
            "compiling_validations": sorted(self._compiling_validations),
        }

    def restore(self, state: Mapping[str, Any], n_fits: int) -> None:
        """Go on from what :meth:`state` returned in another process.

        Args:
            n_fits: The number of fits that had ended; what a further one has compiled is compiled again.
        """
        self._compile = list(state["compile"][:n_fits])
        self._train, self._validation = list(state["train"]), list(state["validation"])
        self._compiling_epochs = set(state["compiling_epochs"])
        self._compiling_validations = {*state["compiling_validations"], len(self._validation)}

    @property
    def compile_seconds(self) -> float:
        """The seconds of set-up, tracing and compiling of all fits."""
        return sum(self._compile)

    @property
    def train_seconds(self) -> float:
        """The training seconds of all epochs so far."""
        settled = [seconds for epoch, seconds in enumerate(self._train) if epoch not in self._compiling_epochs]
        if not settled:
            return sum(self._train)
        return sum(settled) + statistics.median(settled) * len(self._compiling_epochs)

    @property
    def validation_seconds(self) -> float:
        """The validation seconds of all epochs so far; one that compiles counts as a later one."""
        later = [seconds for n, seconds in enumerate(self._validation) if n not in self._compiling_validations]
        return statistics.median(later) * len(self._validation) if later else sum(self._validation)

    def add_validation(self, seconds: float) -> None:
        """Add the seconds of an epoch's validation."""
        self._validation.append(seconds)

    @property
    def epoch_seconds(self) -> list[float]:
        """The training seconds of each epoch so far."""
        return list(self._train)

    @property
    def last_train_seconds(self) -> float:
        return self._train[-1]

    @property
    def last_validation_seconds(self) -> float:
        return self._validation[-1] if self._validation else 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        self._fit_began = time.perf_counter()
        self._compile.append(0.0)
        self._is_first_epoch = True
        self._batches = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_began = time.perf_counter()
        self._last_batch_ended = self._epoch_began

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batch_began = time.perf_counter()
        if self._is_first_epoch and batch == 0:  # all time before the very first batch is set-up
            self._compile[-1] += self._batch_began - self._fit_began
            self._epoch_began = self._batch_began

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        steps = self.params.get("steps")
        if self._is_first_epoch or steps is None or batch == steps - 1:
            float(logs["loss"])  # reading the loss waits until the device is done
        self._last_batch_ended = time.perf_counter()
        if self._is_first_epoch:
            self._batches.append(self._last_batch_ended - self._batch_began)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = self._last_batch_ended - self._epoch_began
        if self._is_first_epoch:
            if len(self._batches) >= 3:
                compiling = self._excess_of_new_shapes()
                self._compile[-1] += compiling
                seconds -= compiling
            else:
                self._compiling_epochs.add(len(self._train))
            self._is_first_epoch = False
        self._train.append(seconds)

    def _excess_of_new_shapes(self) -> float:
        usual = statistics.median(self._batches[1:-1])
        return sum(max(seconds - usual, 0.0) for seconds in (self._batches[0], self._batches[-1]))
