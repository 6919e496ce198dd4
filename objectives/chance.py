"""What an answer reaches that does not look at the image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Chance:
    """What an answer that does not look at the image reaches by an accuracy measure, and its standard error."""

    score: float
    standard_error: float

    @property
    def level(self) -> float:
        """What a model must be above to be better than guessing: two standard errors more than the score.

        Minus infinity where such an answer has everything right: then nothing tells a model from it.
        """
        return self.score + 2 * self.standard_error if self.score < 1 else -math.inf


def read_chance(dataset: Mapping[str, Any], measure: str) -> Chance | None:
    """The chance of an accuracy measure by the stored facts of a dataset; None if they do not tell it.

    Facts of before have none: there, accuracy is taken to be that of equally frequent classes.
    """
    if "chances" in dataset:
        found = dataset["chances"].get(measure)
        return None if found is None else Chance(**found)
    n_classes, n_validation = dataset.get("n_classes"), dataset.get("n_validation")
    if measure != "accuracy" or not n_classes or not n_validation:
        return None
    return Chance(1 / n_classes, math.sqrt((1 - 1 / n_classes) / n_classes / n_validation))
