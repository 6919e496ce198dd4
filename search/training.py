"""Train one candidate: build, augment, compile, fit. Runs in the trial process, the only place with Keras."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from search.data import Dataset
from search.measuring import EpochTimer
from spaces import Candidate, Space
from spaces.augmentation import build_augmentation
from spaces.optimizers import build_optimizer


class TrainingFailedError(Exception):
    """This candidate cannot be trained; the study goes on."""


@dataclass(frozen=True)
class Trainable:
    """A candidate as Keras objects.

    Attributes:
        model: What is kept: raw pixels in, probabilities out, no augmentation.
        trained: The same weights behind the augmentation layers; what `fit` runs on.
    """

    model: Any
    trained: Any
    optimizer: Any


@dataclass(frozen=True)
class EpochResult:
    """What one epoch gave; see :class:`storage.Epoch`."""

    epoch: int
    accuracy: float
    train_seconds: float
    validation_seconds: float
    metrics: Mapping[str, float]


def build(space: Space, candidate: Candidate, dataset: Dataset, precision: str, seed: int) -> Trainable:
    """Build and compile; all variables exist afterwards, the optimizer's too, and nothing was trained."""
    keras.config.set_dtype_policy(precision)
    model = space.build(candidate, dataset.image_shape, dataset.n_classes)
    optimizer = build_optimizer(candidate.optimizer, candidate.optimizer_settings)
    trained = _behind_augmentation(model, build_augmentation(candidate.augmentation, seed))
    _compile(trained, optimizer)
    optimizer = trained.optimizer  # mixed_float16 wraps it for loss scaling
    optimizer.build(trained.trainable_variables)
    return Trainable(model, trained, optimizer)


def _compile(model: Any, optimizer: Any) -> None:
    # The metric as an object, not by name: a named one makes its variables while the first step is
    # traced, and TensorFlow then traces that step a second time.
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=[accuracy])


def _behind_augmentation(model: Any, layers: list[Any]) -> Any:
    if not layers:
        return model
    inputs = keras.Input(model.input_shape[1:])
    images = inputs
    for layer in layers:
        images = layer(images)
    return keras.Model(inputs, model(images))


def fit(
    trainable: Trainable,
    dataset: Dataset,
    candidate: Candidate,
    epochs: int,
    goes_on: Callable[[EpochResult], bool],
) -> tuple[EpochTimer, int]:
    """Train, and leave the model with the weights of its best validation epoch.

    Args:
        goes_on: Told every epoch; False stops the training after it.

    Returns:
        The timer with what it measured, and the best epoch, from 1.

    Raises:
        TrainingFailedError: If the loss or the accuracy stops being a number.
    """
    train, validation = dataset.split("train"), dataset.split("validation")
    timer = EpochTimer()
    watcher = _Watcher(trainable.model, timer, goes_on)
    trainable.trained.fit(
        train.images,
        train.labels,
        validation_data=(validation.images, validation.labels),
        epochs=epochs,
        batch_size=candidate.batch_size,
        validation_batch_size=max(candidate.batch_size, 256),
        callbacks=[timer, watcher],
        verbose=0,
    )
    if watcher.failure:
        raise TrainingFailedError(watcher.failure)
    trainable.model.set_weights(watcher.best_weights)
    return timer, watcher.best_epoch


def save(trainable: Trainable, path: str) -> None:
    """Save the model without its augmentation, with its optimizer's state, as one ``.keras`` file."""
    if trainable.trained is not trainable.model:
        _compile(trainable.model, trainable.optimizer)
    trainable.model.save(path)


class _Watcher(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells every epoch to the supervisor, keeps the best weights, and ends what became NaN.

    It never raises inside `fit`, which would skip other callbacks' ends.
    """

    def __init__(self, kept: Any, timer: EpochTimer, goes_on: Callable[[EpochResult], bool]) -> None:
        super().__init__()
        self.failure = ""
        self.best_epoch = 0
        self.best_weights: list[Any] = []
        self._best_accuracy = -math.inf
        self._kept = kept
        self._timer = timer
        self._goes_on = goes_on

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        broken = [name for name, value in metrics.items() if not math.isfinite(value)]
        if broken:
            self.failure = f"{broken[0]} became {metrics[broken[0]]} in epoch {epoch + 1}"
            self.model.stop_training = True
            return
        accuracy = metrics["val_accuracy"]
        if accuracy > self._best_accuracy:
            self._best_accuracy, self.best_epoch = accuracy, epoch + 1
            self.best_weights = self._kept.get_weights()
        result = EpochResult(
            epoch + 1, accuracy, self._timer.last_train_seconds, self._timer.last_validation_seconds, metrics
        )
        if not self._goes_on(result):
            self.model.stop_training = True
