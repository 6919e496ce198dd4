"""The scale of numbers to predict: networks learn them in standard deviations from their mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelScale:
    """The mean and the standard deviation of the labels that a training sees, and no others."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, labels: NDArray[np.floating]) -> LabelScale:
        """Return the scale of training labels, which are not all the same."""
        numbers = np.asarray(labels, dtype=np.float64)
        return cls(float(numbers.mean()), float(numbers.std()))

    def standardised(self, numbers: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return numbers in standard deviations from the mean."""
        result: NDArray[np.float64] = (np.asarray(numbers, dtype=np.float64) - self.mean) / self.deviation
        return result
