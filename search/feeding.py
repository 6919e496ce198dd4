"""What `fit` reads: whole arrays where they are small, else batches from the mapped files."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

_IN_MEMORY_BYTES = 256_000_000  # a backend copies arrays that it gets whole


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled batches of a split, read from its arrays as they are needed.

    An epoch is one pass, or `steps` full batches: the next epoch then goes on where this one ended,
    and every image is seen once before any is seen again.
    """

    def __init__(self, images: NDArray[Any], labels: NDArray[np.int64], batch_size: int, steps: int, seed: int) -> None:
        super().__init__()
        self._images = images
        self._labels = labels
        self._batch_size = batch_size
        self._steps = steps
        self._seed = seed
        self._epoch = 0
        self._orders: dict[int, NDArray[np.int64]] = {}

    def __len__(self) -> int:
        return self._steps or math.ceil(len(self._labels) / self._batch_size)

    def __getitem__(self, step: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        if self._steps:
            start = (self._epoch * self._steps + step) * self._batch_size
            rows = self._stream(start, start + self._batch_size)
        else:
            rows = self._order(self._epoch)[step * self._batch_size : (step + 1) * self._batch_size]
        rows = np.sort(rows)  # files are read forwards
        return self._images[rows], self._labels[rows]

    def on_epoch_end(self) -> None:
        self._epoch += 1

    def _order(self, n_pass: int) -> NDArray[np.int64]:
        if n_pass not in self._orders:
            self._orders = {number: order for number, order in self._orders.items() if number == n_pass - 1}
            self._orders[n_pass] = np.random.default_rng([self._seed, n_pass]).permutation(len(self._labels))
        return self._orders[n_pass]

    def _stream(self, start: int, end: int) -> NDArray[np.int64]:
        """Places `start` to `end` of all passes one after another."""
        n = len(self._labels)
        passes = range(start // n, (end - 1) // n + 1)
        joined = np.concatenate([self._order(n_pass) for n_pass in passes])
        return joined[start - passes[0] * n : end - passes[0] * n]


def training_data(
    images: NDArray[Any], labels: NDArray[np.int64], batch_size: int, steps_per_epoch: int, seed: int
) -> dict[str, Any]:
    """The arguments of `fit` that say what to train on."""
    if not steps_per_epoch and images.nbytes <= _IN_MEMORY_BYTES:
        return {"x": images, "y": labels, "batch_size": batch_size}
    return {"x": Batches(images, labels, batch_size, steps_per_epoch, seed)}


def n_steps(n_images: int, batch_size: int, steps_per_epoch: int) -> int:
    """Batches of one epoch."""
    return steps_per_epoch or math.ceil(n_images / batch_size)


def predict(model: Any, images: NDArray[Any], batch_size: int) -> NDArray[np.float32]:
    """Probabilities of shape (n, k), in batches of one shape, which a backend compiles once.

    One sigmoid unit becomes two columns.
    """
    n_batches = math.ceil(len(images) / batch_size)
    size = math.ceil(len(images) / n_batches)
    outputs = []
    for start in range(0, len(images), size):
        batch = np.asarray(images[start : start + size])
        missing = size - len(batch)
        padded = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)]) if missing else batch
        predicted = keras.ops.convert_to_numpy(model.predict_on_batch(padded))
        outputs.append(predicted[: len(batch)].astype(np.float32))
    probabilities = np.concatenate(outputs)
    return np.concatenate([1 - probabilities, probabilities], axis=1) if probabilities.shape[1] == 1 else probabilities
