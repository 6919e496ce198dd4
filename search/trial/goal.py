"""The goal of a training: what accuracy means in a study, and the result of an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunefront.objectives.measures import MEASURES, Direction, Task


@dataclass(frozen=True)
class Goal:
    """The meaning of accuracy, or of quality, in a study.

    Attributes:
        measure: Name of the accuracy objective's measure.
        positive_class: Number of the class that binary measures look for, and whose probability one sigmoid unit is.
        n_classes: The number of classes, if a network may have more outputs; 0 for as many as it has.
    """

    measure: str = "accuracy"
    positive_class: int = 1
    n_classes: int = 0

    @property
    def task(self) -> Task:
        """What the measure scores: classes or numbers."""
        return MEASURES[self.measure].task or "classification"

    @property
    def direction(self) -> Direction:
        return MEASURES[self.measure].direction


@dataclass(frozen=True)
class EpochResult:
    """The result of one epoch; see :class:`tunefront.storage.Epoch`. `accuracy` is the goal's measure as it is."""

    epoch: int
    accuracy: float
    train_seconds: float
    validation_seconds: float
    metrics: Mapping[str, float]
