"""The training of a built candidate, which keeps the weights of the epoch that counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from tunefront.objectives.measures import MEASURES
from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.training import TrainingTable
from tunefront.search.trial.batches import Batches
from tunefront.search.trial.epoch_watcher import LossWatcher, Watcher
from tunefront.search.trial.goal import EpochResult, Goal
from tunefront.search.trial.prefix.feed import Feed
from tunefront.search.trial.resumption.checkpoint_callback import CheckpointCallback
from tunefront.search.trial.resumption.event_files import begin_logs
from tunefront.search.trial.resumption.fit_start import fit_start
from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints
from tunefront.search.trial.stages.change import begin_segment
from tunefront.search.trial.stages.segments import segments
from tunefront.search.trial.timer import EpochTimer
from tunefront.search.trial.trainable import Phase, Trainable, phases, targets_of
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.schedules import monitor_mode


class TrainingPausedError(Exception):
    """The training ends after a checkpoint, to go on from it another time."""


class TrainingFailedError(Exception):
    """A candidate cannot be trained; the study goes on."""


def fit(
    trainable: Trainable,
    dataset: Dataset,
    training: TrainingTable,
    goal: Goal,
    goes_on: Callable[[EpochResult], bool],
    *,
    seed: int,
    fold: int = 0,
    log_folder: str = "",
    curve: Sequence[Mapping[str, float]] = (),
    checkpoints: TrialCheckpoints | None = None,
) -> tuple[EpochTimer, EpochResult]:
    """Train a candidate, and leave its model with the weights of the epoch that counts.

    Args:
        goal: The measure that accuracy means here.
        goes_on: Called with every epoch's result; False stops the training after it.
        log_folder: The folder for TensorBoard's logs; empty writes none.
        curve: Name -> value of what Keras reported in each earlier epoch, for the logs.
        checkpoints: Where this training goes on from, and where it writes; None begins anew and writes nothing.

    Returns:
        The timer with what it measured, and the epoch that counts, scored on all validation examples if the training
        went to its end.

    Raises:
        TrainingFailedError: If the loss or a score stops being a number.
        TrainingPausedError: If its turn is over.
    """
    candidate = trainable.first
    timer = EpochTimer()
    feed = Feed(trainable, dataset, fold, training.n_validated, seed)
    n_train = len(feed.train.labels)
    keeps = training.keep_weights
    watcher = Watcher(trainable.model, feed.watched, goal, timer, goes_on, keeps=keeps, loss=trainable.loss)
    parts = phases(trainable, training.epochs_of(candidate))
    course = segments(candidate, parts)
    checkpoints = checkpoints or TrialCheckpoints()
    start = fit_start(checkpoints, trainable, course, n_train, timer, watcher, fold)
    feed.follow(trainable)
    watcher.follow(trainable.model, trainable.predictor, feed.watched)
    if log_folder:
        begin_logs(Path(log_folder), start.epoch, curve)
    counters = start.counters
    for segment in start.segments_left(course):
        if not start.is_within(segment):
            begin_segment(trainable, segment, n_train, is_only_phase=len(parts) == 1)
        feed.follow(trainable)
        watcher.follow(trainable.model, trainable.predictor, feed.watched)
        callbacks = [timer, watcher, *_callbacks(candidate, training, segment.phase, log_folder)]
        n_done = max(segment.first_epoch - 1, start.epoch)
        kept = counters if n_done >= segment.phase.first_epoch else {}
        last = CheckpointCallback(checkpoints, trainable, timer, watcher, callbacks, kept)
        _run(trainable, feed.batches, n_done, segment.last_epoch, [*callbacks, last])
        counters = last.counters()
        if watcher.failure:
            raise TrainingFailedError(watcher.failure)
        if checkpoints.is_paused:
            raise TrainingPausedError
        if trainable.trained.stop_training:  # by the watcher, or by early stopping
            break
    if watcher.kept_weights:
        trainable.model.set_weights(watcher.kept_weights)
    if feed.watched is feed.validation or watcher.was_stopped:
        return timer, watcher.kept
    counted = watcher.kept_on(feed.validation)
    if not all(map(math.isfinite, counted.metrics.values())):
        raise TrainingFailedError(f"a score of all validation images became no number in epoch {counted.epoch}")
    return timer, counted


def fit_epochs(
    trainable: Trainable,
    dataset: Dataset,
    epochs: int,
    tell: Callable[[int, float], None],
    *,
    seed: int,
    rates: Sequence[float] = (),
    checkpoints: TrialCheckpoints | None = None,
) -> EpochTimer:
    """Train a candidate for epochs that were chosen before: nothing validates, stops or chooses here.

    Schedule and phases are those of the candidate's whole training, which must have as many epochs or more.

    Args:
        tell: Called with every epoch's number and loss.
        rates: The learning rate of each epoch, the last one for all further epochs; empty leaves them to the schedule.
        checkpoints: Where this training goes on from, and where it writes; None begins anew and writes nothing.

    Raises:
        TrainingFailedError: If the loss stops being a number.
    """
    candidate, train, timer = trainable.first, dataset.split("train"), EpochTimer()
    targets = targets_of(candidate, dataset, train.labels)
    batches = Batches(train.images, targets, candidate.batch_size, candidate.steps_per_epoch, seed)
    watcher = LossWatcher(tell)
    callbacks: list[Any] = [timer, watcher]
    if rates:
        callbacks.append(keras.callbacks.LearningRateScheduler(lambda epoch, rate: rates[min(epoch, len(rates) - 1)]))
    parts = phases(trainable, candidate.epochs)
    course = segments(candidate, parts)
    checkpoints = checkpoints or TrialCheckpoints()
    start = fit_start(checkpoints, trainable, course, len(train.labels), timer, watcher, fold=0)
    for segment in start.segments_left(course):
        n_done = max(segment.first_epoch - 1, start.epoch)
        if n_done >= epochs:
            break
        if not start.is_within(segment):
            begin_segment(trainable, segment, len(train.labels), is_only_phase=len(parts) == 1)
        last = CheckpointCallback(checkpoints, trainable, timer, watcher, callbacks, {})
        _run(trainable, batches, n_done, min(segment.last_epoch, epochs), [*callbacks, last])
        if watcher.failure:
            raise TrainingFailedError(watcher.failure)
    return timer


def _run(trainable: Trainable, batches: Batches, n_done: int, last_epoch: int, callbacks: Sequence[Any]) -> None:
    trainable.trained.fit(
        batches,
        shuffle=False,
        initial_epoch=n_done,
        epochs=last_epoch,
        callbacks=[batches.epoch_counter, *callbacks],
        verbose=0,
    )


def _callbacks(candidate: Candidate, training: TrainingTable, phase: Phase, log_folder: str) -> list[Any]:
    """Return Keras's own callbacks; they follow the watcher, which adds the validation scores to an epoch's logs."""
    callbacks: list[Any] = []
    if log_folder:
        callbacks.append(keras.callbacks.TensorBoard(log_folder))
    if phase.is_head_only:
        return callbacks
    settings = candidate.schedule_settings
    if candidate.schedule == "reduce_on_plateau":
        monitor = str(settings.get("monitor", "val_loss"))  # candidates of earlier studies have no such setting
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                monitor,
                factor=settings["factor"],
                patience=settings["patience"],
                cooldown=settings["cooldown"],
                min_lr=settings["minimum"],
                mode=monitor_mode(monitor),
            )
        )
    stopping = training.early_stopping
    if stopping is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                f"val_{stopping.monitor}",
                min_delta=stopping.min_delta,
                patience=stopping.patience,
                baseline=stopping.baseline,
                mode=_mode(stopping.monitor),
            )
        )
    return callbacks


def _mode(monitor: str) -> str:
    """Return how early stopping compares a score: ``max`` where more is better, else ``min``."""
    return "max" if monitor != "loss" and MEASURES[monitor].direction == "maximize" else "min"
