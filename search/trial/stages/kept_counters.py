"""The counters of Keras's callbacks, which a further `fit` of the same training would reset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

# What they count. Their other attributes are settings, some of which they change at the first epoch's end: restoring
# these too would change them twice.
_COUNTERS = ("best", "wait", "cooldown_counter", "best_epoch", "stopped_epoch")


class KeptCounters(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback that puts counters back when a `fit` begins, behind the callbacks that have reset them.

    Args:
        callbacks: Keras's own, with the counters of the training so far.
    """

    def __init__(self, callbacks: Sequence[Any]) -> None:
        super().__init__()
        self._kept = [(callback, _counters_of(callback)) for callback in callbacks]

    def on_train_begin(self, logs: Any = None) -> None:
        for callback, counters in self._kept:
            vars(callback).update(counters)


def counters_of(callbacks: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return class name -> counters of each callback that has some, as JSON data."""
    found = {type(callback).__name__: _counters_of(callback) for callback in callbacks}
    return {
        name: {counter: _number(value) for counter, value in counters.items()}
        for name, counters in found.items()
        if counters
    }


def set_counters(callbacks: Sequence[Any], counters: Mapping[str, Mapping[str, Any]]) -> None:
    """Give callbacks the counters that :func:`counters_of` returned in another process."""
    for callback in callbacks:
        vars(callback).update(counters.get(type(callback).__name__, {}))


def _counters_of(callback: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(callback).items() if name in _COUNTERS}


def _number(value: Any) -> float | int | None:
    return value if value is None or isinstance(value, int) else float(value)
