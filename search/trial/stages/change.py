"""The change of a training's settings between two epochs: everything is built anew, and what was learned goes over."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tunefront.search.trial.trainable import Phase, Trainable, compile_for
from tunefront.spaces.candidate import Candidate


def change(
    trainable: Trainable, candidate: Candidate, phase: Phase, first_epoch: int, n_train: int, *, begins_phase: bool
) -> None:
    """Make the trainable one of `candidate`, with its weights and its optimizer's state as they are.

    A schedule goes on at its step, with the new rate in place of the old one; where a plateau has lowered the rate, it
    is lowered in the same proportion. Everything is built anew because Keras has traced most settings as constants.
    Augmentation and dropout draw new numbers, which depend on the trial's seed and the epoch alone.

    Args:
        phase: The phase of the epochs that follow.
        first_epoch: The first epoch with the new settings.
        begins_phase: Whether the phase begins there too, which has an optimizer of its own.
    """
    before, old_rate = trainable.candidate, _rate(trainable)
    optimizer = trainable.optimizer
    seed = int(np.random.SeedSequence([trainable.seed, first_epoch]).generate_state(1)[0] >> 1)
    keras.utils.set_random_seed(seed)
    assert trainable.remake is not None  # `build` gives it to each
    new = trainable.remake(candidate, seed)
    new.model.set_weights(trainable.model.get_weights())
    compile_for(new, phase, n_train)
    if not begins_phase:
        _take_state(new.optimizer, optimizer)
        if candidate.schedule == "reduce_on_plateau" and not phase.is_head_only:
            new.optimizer.learning_rate = old_rate * _first_rate(candidate) / _first_rate(before)
    trainable.become(new)


def _take_state(optimizer: Any, other: Any) -> None:
    """Give an optimizer the variables of another one of its class, but for the learning rate."""
    for variable, value in zip(optimizer.variables, other.variables, strict=True):
        if variable.name != "learning_rate":
            variable.assign(value)


def _rate(trainable: Trainable) -> float:
    return float(trainable.optimizer.learning_rate)


def _first_rate(candidate: Candidate) -> float:
    return float(candidate.optimizer_settings["learning_rate"])
