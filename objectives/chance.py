"""The score that answers reach by guessing, without looking at the image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunefront.objectives.measures import MEASURES, Direction


@dataclass(frozen=True)
class Chance:
    """The score that guessing reaches by a measure of the first axis.

    Attributes:
        standard_error: The standard error of `score`.
        direction: That of the measure; with ``"minimize"`` scores are errors.
    """

    score: float
    standard_error: float
    direction: Direction = "maximize"

    @property
    def level(self) -> float:
        """The score that a model must beat to be better than guessing: that of guessing, and two standard errors.

        Infinitely bad where guessing has everything right: no score then tells a model from a guess.
        """
        if self.direction == "minimize":
            return self.score - 2 * self.standard_error if self.score > 0 else math.inf
        return self.score + 2 * self.standard_error if self.score < 1 else -math.inf

    def is_beaten_by(self, score: float) -> bool:
        """Return whether a model with this score is better than guessing; NaN is not."""
        return score < self.level if self.direction == "minimize" else score > self.level


def read_chance(dataset: Mapping[str, Any], measure: str) -> Chance | None:
    """Return the chance of a measure of the first axis by the stored facts of a dataset; None if they do not tell it.

    Facts that an older tunefront stored have no chances: all classes are then taken to be equally frequent.
    """
    if "chances" in dataset:
        found = dataset["chances"].get(measure)
        if found is None:
            return None
        return Chance(found["score"], found["standard_error"], MEASURES[measure].direction)
    n_classes, n_validation = dataset.get("n_classes"), dataset.get("n_validation")
    if measure != "accuracy" or not n_classes or not n_validation:
        return None
    return Chance(1 / n_classes, math.sqrt((1 - 1 / n_classes) / n_classes / n_validation))
