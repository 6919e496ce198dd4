"""The callback at the end of every epoch: validation scores, the best weights, a message to the supervisor."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

import keras

from tunefront.search.data.dataset import Split
from tunefront.search.trial.evaluation import answers_to, scores_of
from tunefront.search.trial.goal import EpochResult, Goal
from tunefront.search.trial.timer import EpochTimer


class Watcher(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback that scores every epoch, reports it to the supervisor, keeps weights, and ends a training with NaN.

    It never raises inside `fit`, because the ends of other callbacks would then be skipped.

    Args:
        model: The model that is kept, and predicts.
        validation: The examples that score every epoch.
        keeps: The epoch that counts and whose weights are kept: that of the ``"best"`` score of the goal's measure, of
            the smallest validation loss (``"val_loss"``), or the ``"last"`` one. Of equals, it is the first.
        loss: The loss of the training, which with numbers to predict tells the scale of the validation loss.

    Attributes:
        failure: Why the training cannot go on; empty while it can.
        was_stopped: Whether `goes_on` returned False.
        kept: The epoch that counts.
        kept_weights: The weights of that epoch; empty if they are the model's own at the end.
    """

    def __init__(
        self,
        model: Any,
        validation: Split,
        goal: Goal,
        timer: EpochTimer,
        goes_on: Callable[[EpochResult], bool],
        *,
        keeps: Literal["best", "val_loss", "last"],
        loss: Any = None,
    ) -> None:
        super().__init__()
        self.failure = ""
        self.was_stopped = False
        self.kept: EpochResult
        self.kept_weights: list[Any] = []
        self._kept_model = self._predictor = model
        self._loss = loss
        self._validation = validation
        self._goal = goal
        self._timer = timer
        self._goes_on = goes_on
        self._keeps = keeps
        self._best = -math.inf

    def follow(self, model: Any, predictor: Any, validation: Split) -> None:
        """Keep another model from now on, with which the training goes on, and score it by what answers in its place.

        Args:
            predictor: The model that answers to `validation` as `model` does to the dataset's values.
        """
        self._kept_model, self._predictor, self._validation = model, predictor, validation

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {} if logs is None else logs
        began = time.perf_counter()
        scores = self._score(self._validation)
        self._timer.add_validation(time.perf_counter() - began)
        # The scores go into Keras's logs, where later callbacks and TensorBoard find them.
        logs |= {f"val_{name}": value for name, value in scores.items()}
        metrics = {name: float(value) for name, value in logs.items()}
        # A schedule or ReduceLROnPlateau changes it; Keras's logs have it only with a callback that does.
        metrics["learning_rate"] = float(self.model.optimizer.learning_rate)
        broken = [name for name, value in metrics.items() if not math.isfinite(value)]
        if broken:
            self.failure = f"{broken[0]} became {metrics[broken[0]]} in epoch {epoch + 1}"
            self.model.stop_training = True
            return
        result = EpochResult(
            epoch + 1,
            scores[self._goal.measure],
            self._timer.last_train_seconds,
            self._timer.last_validation_seconds,
            metrics,
        )
        value = result.accuracy if self._goal.direction == "maximize" else -result.accuracy
        value = -metrics["val_loss"] if self._keeps == "val_loss" else value
        if self._keeps == "last" or value > self._best:
            self._best, self.kept = value, result
            self.kept_weights = [] if self._keeps == "last" else self._kept_model.get_weights()
        if not self._goes_on(result):
            self.was_stopped = True
            self.model.stop_training = True

    def kept_on(self, validation: Split) -> EpochResult:
        """Return the epoch that counts, with the scores that the model as it is now has on these examples."""
        scores = self._score(validation)
        of_training = {name: value for name, value in self.kept.metrics.items() if not name.startswith("val_")}
        metrics = {**of_training, **{f"val_{name}": value for name, value in scores.items()}}
        return replace(self.kept, accuracy=scores[self._goal.measure], metrics=metrics)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of the epochs so far, but for weights, as JSON data."""
        return {"best": self._best, "kept": asdict(self.kept)}

    def weights_to_store(self, epoch: int) -> list[Any]:
        """Return the kept weights, but none after the epoch that counts: the model has them."""
        return [] if self.kept.epoch == epoch else self.kept_weights

    def restore(self, state: Mapping[str, Any], weights: Sequence[Any]) -> None:
        """Restore what :meth:`state` returned, with the weights of the epoch that counts."""
        self._best, self.kept = state["best"], EpochResult(**state["kept"])
        if self._keeps != "last":
            self.kept_weights = list(weights)

    def _score(self, validation: Split) -> dict[str, float]:
        answers = answers_to(self._predictor, validation.images, self._goal)
        return scores_of(validation.labels, answers, self._goal, self._loss)


class LossWatcher(keras.callbacks.Callback):  # type: ignore[misc]
    """The watcher of a training that nothing validates, which tells each epoch's loss; its last weights count.

    Attributes:
        failure: Why the training was ended, because the loss became no number; empty otherwise.
    """

    def __init__(self, tell: Callable[[int, float], None]) -> None:
        super().__init__()
        self.failure = ""
        self.was_stopped = False
        self._tell = tell

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if math.isfinite(loss):
            self._tell(epoch + 1, loss)
            return
        self.failure = f"loss became {loss} in epoch {epoch + 1}"
        self.model.stop_training = True

    def follow(self, model: Any) -> None:
        """Do nothing: no model is scored."""

    def state(self) -> dict[str, Any]:
        """Return nothing: no epoch counts more than another."""
        return {}

    def weights_to_store(self, epoch: int) -> list[Any]:
        """Return none: none are kept but the model's own."""
        return []

    def restore(self, state: Mapping[str, Any], weights: Sequence[Any]) -> None:
        """Do nothing: see :meth:`state`."""
