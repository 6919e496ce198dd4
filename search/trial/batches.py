"""The shuffled batches of a split that `fit` reads, and predictions in batches."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled batches of a split, read from its arrays as they are needed.

    An epoch is one pass, or `steps` full batches. In that case the next epoch goes on where this one ended, so that
    every image is seen once before any is seen again. The order of an epoch depends only on the seed and on the epoch's
    number, which :attr:`epoch_counter` keeps. So `fit` must get that callback, and ``shuffle=False``.

    It is written by hand because `fit` on TensorFlow shuffles whole arrays in the same order every epoch if a seed was
    set, and shuffles the batches of a PyDataset with Python's global random numbers unless told not to.
    """

    def __init__(self, images: NDArray[Any], labels: NDArray[Any], batch_size: int, steps: int, seed: int) -> None:
        super().__init__()
        self._images = images
        self._labels = labels
        self._batch_size = batch_size
        self._steps = steps
        self._seed = seed
        self._epoch = 0
        self._orders: dict[int, NDArray[np.int64]] = {}

    @property
    def epoch_counter(self) -> Any:
        """A callback for `fit` that sets the epoch's number, also in a second `fit` or one that continues.

        Keras's own calls of `on_epoch_end` cannot count epochs, because one comes before the first epoch of each `fit`.
        """
        return keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: self.begin(epoch))

    def begin(self, epoch: int) -> None:
        """Switch to the batches of this epoch, which counts from 0."""
        self._epoch = epoch

    def __len__(self) -> int:
        return n_steps(len(self._labels), self._batch_size, self._steps)

    def __getitem__(self, step: int) -> tuple[NDArray[Any], NDArray[Any]]:
        if self._steps:
            start = (self._epoch * self._steps + step) * self._batch_size
            rows = self._stream(start, start + self._batch_size)
        else:
            rows = self._order(self._epoch)[step * self._batch_size : (step + 1) * self._batch_size]
        # Files are read forwards. The batch keeps the shuffled order, because mix-up and cut-mix pair neighbours, and
        # neighbours in a file are often of one class.
        forwards = np.argsort(rows)
        images = np.empty((len(rows), *self._images.shape[1:]), self._images.dtype)
        images[forwards] = self._images[rows[forwards]]
        return images, self._labels[rows]

    def _order(self, n_pass: int) -> NDArray[np.int64]:
        if n_pass not in self._orders:
            self._orders = {number: order for number, order in self._orders.items() if number == n_pass - 1}
            self._orders[n_pass] = np.random.default_rng([self._seed, n_pass]).permutation(len(self._labels))
        return self._orders[n_pass]

    def _stream(self, start: int, end: int) -> NDArray[np.int64]:
        """Return the rows at places `start` to `end` of all passes, one after another."""
        n = len(self._labels)
        passes = range(start // n, (end - 1) // n + 1)
        joined = np.concatenate([self._order(n_pass) for n_pass in passes])
        return joined[start - passes[0] * n : end - passes[0] * n]


def n_steps(n_images: int, batch_size: int, steps_per_epoch: int) -> int:
    """Return the number of batches of one epoch."""
    return steps_per_epoch or math.ceil(n_images / batch_size)


def outputs(model: Any, images: NDArray[Any], batch_size: int) -> NDArray[np.float32]:
    """Return a model's outputs, shape (n, units), in batches of one shape, which a backend compiles once."""
    n_batches = math.ceil(len(images) / batch_size)
    size = math.ceil(len(images) / n_batches)
    found = []
    for start in range(0, len(images), size):
        batch = np.asarray(images[start : start + size])
        missing = size - len(batch)
        padded = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)]) if missing else batch
        predicted = keras.ops.convert_to_numpy(model.predict_on_batch(padded))
        found.append(predicted[: len(batch)].astype(np.float32))
    return np.concatenate(found)


def predict(model: Any, images: NDArray[Any], batch_size: int, positive_class: int = 1) -> NDArray[np.float32]:
    """Predict probabilities of shape (n, k).

    One sigmoid unit, the probability of `positive_class`, becomes two columns.
    """
    probabilities = outputs(model, images, batch_size)
    if probabilities.shape[1] > 1:
        return probabilities
    columns = [1 - probabilities, probabilities]
    return np.concatenate(columns if positive_class == 1 else columns[::-1], axis=1)
