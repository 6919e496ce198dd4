"""The times that are told of a training from features: with one pass of the frozen layers, whoever made them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunefront.search.trial.timer import EpochTimer
from tunefront.search.trial.trainable import Phase
from tunefront.spaces.candidate import Candidate


def told_times(
    used: Mapping[Phase, Mapping[str, Any]], candidate: Candidate, timer: EpochTimer, n_train: int, n_validated: int
) -> dict[str, float]:
    """Return the times of a training that had features: with one pass over all examples, and beside them plain ones.

    The pass was measured once, when the features were made. It stands in no epoch's time, so that nothing that projects
    epochs multiplies it. Of several phases the longest pass counts alone: plainly they would share theirs.

    Args:
        used: Each phase that had features -> their facts.

    Returns:
        The passes of :func:`passes_of`, ``train_seconds`` and ``validation_seconds`` with theirs, and
        ``plain_train_seconds``, which is estimated from measured steps of a plain training. Nothing if no epoch had
        features.
    """
    epochs = dict(enumerate(timer.epoch_seconds, start=1))
    reached = {phase: facts for phase, facts in used.items() if phase.first_epoch in epochs}
    if not reached:
        return {}
    n_an_epoch = candidate.steps_per_epoch * candidate.batch_size or n_train
    plain = dict(epochs)
    for phase, facts in reached.items():
        within = [epoch for epoch in epochs if phase.first_epoch <= epoch <= phase.last_epoch]
        plain |= dict.fromkeys(within, facts["plain_seconds_an_example"] * n_an_epoch)
    passes = passes_of(reached, n_train, n_validated)
    return {
        **passes,
        "train_seconds": timer.train_seconds + passes["prefix_seconds"],
        "validation_seconds": timer.validation_seconds + passes["prefix_validation_seconds"],
        "plain_train_seconds": sum(plain.values()),
    }


def passes_of(used: Mapping[Phase, Mapping[str, Any]], n_train: int, n_validated: int) -> dict[str, float]:
    """Return the seconds of one pass over the training and the validation examples, in the longest of these phases."""
    seconds = max(facts["seconds_an_example"] for facts in used.values())
    return {"prefix_seconds": seconds * n_train, "prefix_validation_seconds": seconds * n_validated}
