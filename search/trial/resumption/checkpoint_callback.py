"""The callback that ends each epoch with a checkpoint, if one is due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from tunefront.search.trial.epoch_watcher import Watcher
from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints
from tunefront.search.trial.stages.kept_counters import counters_of
from tunefront.search.trial.timer import EpochTimer
from tunefront.search.trial.trainable import Trainable


class CheckpointCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """The last callback of a `fit`: its checkpoints have what the others counted in the epoch that has ended.

    Args:
        keras_own: The callbacks of Keras, whose counters are among it.
    """

    def __init__(
        self,
        checkpoints: TrialCheckpoints,
        trainable: Trainable,
        timer: EpochTimer,
        watcher: Watcher,
        keras_own: Sequence[Any],
    ) -> None:
        super().__init__()
        self._checkpoints = checkpoints
        self._trainable = trainable
        self._timer = timer
        self._watcher = watcher
        self._keras_own = keras_own

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._watcher.failure or self._watcher.was_stopped:
            return
        self._checkpoints.end_epoch(self._trainable, epoch + 1, self._state, self._watcher.weights_to_store(epoch + 1))

    def _state(self) -> dict[str, Any]:
        return {
            "is_over": bool(self.model.stop_training),  # an EarlyStopping before this callback has ended the training
            "timer": self._timer.state(),
            "watcher": self._watcher.state(),
            "counters": counters_of(self._keras_own),
        }
