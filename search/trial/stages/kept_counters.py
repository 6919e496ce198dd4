"""The counters of Keras's callbacks, which a further `fit` of the same training would reset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

_COUNTERS = ("best", "wait", "cooldown_counter", "best_epoch", "stopped_epoch")


class KeptCounters(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback that puts counters back when a `fit` begins, behind the callbacks that have reset them.

    Args:
        callbacks: Keras's own, with the counters of the training so far.
    """

    def __init__(self, callbacks: Sequence[Any]) -> None:
        super().__init__()
        self._kept = [
            (callback, {name: value for name, value in vars(callback).items() if name in _COUNTERS})
            for callback in callbacks
        ]

    def on_train_begin(self, logs: Any = None) -> None:
        for callback, counters in self._kept:
            vars(callback).update(counters)
