"""The callback that ends each epoch with a checkpoint, if one is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from tunefront.search.trial.epoch_watcher import LossWatcher, Watcher
from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints
from tunefront.search.trial.timer import EpochTimer
from tunefront.search.trial.trainable import Trainable

# What Keras's callbacks count. Their other attributes are settings, some of which they change at the first epoch's end:
# restoring them too would change them twice.
_COUNTERS = {
    "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
    "EarlyStopping": ("wait", "best", "best_epoch", "stopped_epoch"),
}


class CheckpointCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """The last callback of a `fit`, whose checkpoints have what the others count.

    Args:
        callbacks: The callbacks before it. Keras sets them back when a `fit` begins, so they get their counters after.
        counters: Name of a callback -> its counters; nothing leaves it as it is.
    """

    def __init__(
        self,
        checkpoints: TrialCheckpoints,
        trainable: Trainable,
        timer: EpochTimer,
        watcher: Watcher | LossWatcher,
        callbacks: Sequence[Any],
        counters: Mapping[str, Mapping[str, Any]],
    ) -> None:
        super().__init__()
        self._checkpoints = checkpoints
        self._trainable = trainable
        self._timer = timer
        self._watcher = watcher
        self._counting = {type(one).__name__: one for one in callbacks if type(one).__name__ in _COUNTERS}
        self._counters = counters

    def on_train_begin(self, logs: Any = None) -> None:
        for name, values in self._counters.items():
            for counter, value in values.items():
                setattr(self._counting[name], counter, value)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._watcher.failure or self._watcher.was_stopped:
            return
        self._checkpoints.end_epoch(self._trainable, epoch + 1, self._state, self._watcher.weights_to_store(epoch + 1))
        if self._checkpoints.is_paused:
            self.model.stop_training = True

    def counters(self) -> dict[str, dict[str, Any]]:
        """Return the name of each callback that counts -> its counters now."""
        return {
            name: {counter: _number(getattr(callback, counter)) for counter in _COUNTERS[name]}
            for name, callback in self._counting.items()
        }

    def _state(self) -> dict[str, Any]:
        return {
            "is_over": bool(self.model.stop_training),  # an EarlyStopping before this callback has ended the training
            "timer": self._timer.state(),
            "watcher": self._watcher.state(),
            "counters": self.counters(),
        }


def _number(value: Any) -> float | int | None:
    return value if value is None or isinstance(value, int) else float(value)
