"""The times that are told of a training from features: with one pass of the frozen layers, whoever made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunefront.objectives.measures import FEATURE_VIEWS
from tunefront.search.trial.timer import EpochTimer
from tunefront.search.trial.trainable import Phase
from tunefront.spaces.candidate import Candidate


@dataclass(frozen=True)
class PassTimes:
    """Seconds an example, measured when features were made.

    Attributes:
        train: View -> a pass of the frozen layers over it; 0 -> one over plain examples, if there is no view.
        validation: One pass without random changes.
        plain_step: A step of the whole network.
    """

    train: Mapping[int, float]
    validation: float
    plain_step: float

    @classmethod
    def of(cls, facts: Mapping[int, Mapping[str, Any]]) -> PassTimes:
        """Return the times that were stored with features; 0 -> what is noted with plain ones, view -> with its own."""
        trained = {view: noted for view, noted in facts.items() if view} or facts
        return cls(
            {view: noted["seconds_an_example"] for view, noted in trained.items()},
            facts[0]["seconds_an_example"],
            next(iter(trained.values()))["plain_seconds_an_example"],
        )


def told_times(
    used: Mapping[Phase, PassTimes], candidate: Candidate, timer: EpochTimer, n_train: int, n_validated: int
) -> dict[str, float]:
    """Return the times of a training that had features: with one pass over all examples, and beside them plain ones.

    The pass was measured once, when the features were made; each view has one of its own. It stands in no epoch's time,
    so that nothing that projects epochs multiplies it. Of several phases that see a view the longest pass counts alone:
    plainly they would share theirs.

    Args:
        used: Each phase that had features -> their times.

    Returns:
        The passes of :func:`passes_of`, ``train_seconds`` and ``validation_seconds`` with theirs, and
        ``plain_train_seconds``, which is estimated from measured steps of a plain training; with views, their number.
        Nothing if no epoch had features.
    """
    epochs = dict(enumerate(timer.epoch_seconds, start=1))
    reached = {phase: times for phase, times in used.items() if phase.first_epoch in epochs}
    if not reached:
        return {}
    n_an_epoch = candidate.steps_per_epoch * candidate.batch_size or n_train
    plain = dict(epochs)
    for phase, times in reached.items():
        within = [epoch for epoch in epochs if phase.first_epoch <= epoch <= phase.last_epoch]
        plain |= dict.fromkeys(within, times.plain_step * n_an_epoch)
    passes = passes_of(reached, n_train, n_validated)
    views = {view for times in reached.values() for view in times.train if view}
    return {
        **passes,
        "train_seconds": timer.train_seconds + passes["prefix_seconds"],
        "validation_seconds": timer.validation_seconds + passes["prefix_validation_seconds"],
        "plain_train_seconds": sum(plain.values()),
        **({FEATURE_VIEWS: float(len(views))} if views else {}),
    }


def passes_of(used: Mapping[Phase, PassTimes], n_train: int, n_validated: int) -> dict[str, float]:
    """Return the seconds of the passes over training and validation examples, in the phases where they are longest."""
    views = {view for times in used.values() for view in times.train}
    train = sum(max(times.train.get(view, 0.0) for times in used.values()) for view in views)
    validation = max(times.validation for times in used.values())
    return {"prefix_seconds": train * n_train, "prefix_validation_seconds": validation * n_validated}
