"""The change of a training's settings between two epochs: everything is built anew, and what was learned goes over."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tunefront.search.trial.stages.segments import Segment
from tunefront.search.trial.trainable import Trainable, compile_for
from tunefront.spaces.candidate import Candidate


def begin_segment(trainable: Trainable, segment: Segment, n_train: int, *, is_only_phase: bool) -> None:
    """Make the trainable what a segment trains from its first epoch on."""
    if segment.candidate is not trainable.candidate:
        _change(trainable, segment, n_train)
    elif segment.begins_phase and not is_only_phase:
        compile_for(trainable, segment.phase, n_train)


def enter_epoch(trainable: Trainable, epoch: int) -> None:
    """Make the trainable what it is after an epoch, but for the values of its variables, which are new."""
    candidate = trainable.first.at(epoch)
    if candidate is not trainable.candidate:
        trainable.become(trainable.made_again(candidate, trainable.seed))


def _change(trainable: Trainable, segment: Segment, n_train: int) -> None:
    """Make the trainable one of another candidate, with its weights and its optimizer's state as they are.

    A schedule goes on at its step, with the new rate in place of the old one; where a plateau has lowered the rate, it
    is lowered in the same proportion. Everything is built anew because Keras has traced most settings as constants.
    Augmentation and dropout draw new numbers, which depend on the trial's seed and the epoch alone.
    """
    before, old_rate, optimizer = trainable.candidate, float(trainable.optimizer.learning_rate), trainable.optimizer
    seed = int(np.random.SeedSequence([trainable.seed, segment.first_epoch]).generate_state(1)[0] >> 1)
    keras.utils.set_random_seed(seed)
    new = trainable.made_again(segment.candidate, seed)
    new.model.set_weights(trainable.model.get_weights())
    compile_for(new, segment.phase, n_train)
    if not segment.begins_phase:
        _take_state(new.optimizer, optimizer)
        if segment.candidate.schedule == "reduce_on_plateau" and not segment.phase.is_head_only:
            new.optimizer.learning_rate = old_rate * _first_rate(segment.candidate) / _first_rate(before)
    trainable.become(new)


def _take_state(optimizer: Any, other: Any) -> None:
    """Give an optimizer the variables of another one of its class, but for the learning rate."""
    for variable, value in zip(optimizer.variables, other.variables, strict=True):
        if variable.name != "learning_rate":
            variable.assign(value)


def _first_rate(candidate: Candidate) -> float:
    return float(candidate.optimizer_settings["learning_rate"])
