"""The score that answers reach by guessing, without looking at the image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Chance:
    """The score that guessing reaches by an accuracy measure, and the standard error of that score."""

    score: float
    standard_error: float

    @property
    def level(self) -> float:
        """The score above which a model is better than guessing: two standard errors above that of guessing.

        Minus infinity where guessing has everything right: no score then tells a model from a guess.
        """
        return self.score + 2 * self.standard_error if self.score < 1 else -math.inf


def read_chance(dataset: Mapping[str, Any], measure: str) -> Chance | None:
    """Return the chance of an accuracy measure by the stored facts of a dataset; None if they do not tell it.

    Facts that an older tunefront stored have no chances: all classes are then taken to be equally frequent.
    """
    if "chances" in dataset:
        found = dataset["chances"].get(measure)
        return None if found is None else Chance(**found)
    n_classes, n_validation = dataset.get("n_classes"), dataset.get("n_validation")
    if measure != "accuracy" or not n_classes or not n_validation:
        return None
    return Chance(1 / n_classes, math.sqrt((1 - 1 / n_classes) / n_classes / n_validation))
