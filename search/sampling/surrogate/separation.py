"""How far candidates are from each other, as Gaussian processes of several values share it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_DECAY = 2.0  # of the additive part, over the whole range of a parameter


class Separation:
    """The differences of n candidates from m others, with what kernels compute from these alone.

    Attributes:
        shape: n and m.
        differences: Shape (parameters, n * m).
    """

    def __init__(self, differences: Array) -> None:
        """Take differences of shape (parameters, n, m), see `Differences`."""
        self.shape = differences.shape[1:]
        self.differences = differences.reshape(len(differences), -1)

    @cached_property
    def alone(self) -> Array:
        """The covariance that each parameter would give alone, of the same shape as the differences."""
        alone: Array = np.exp(-_DECAY * self.differences)
        return alone

    @cached_property
    def pairs(self) -> Pairs:
        """The pairs of these candidates, where the others are they themselves."""
        return Pairs(self)


class Pairs:
    """The pairs of n candidates, each once: half of what is symmetric, and half the time.

    Attributes:
        differences: Shape (parameters, pairs).
        alone: The covariance that each parameter would give alone, of the same shape.
        is_same: Whether a pair is a candidate and itself, shape (pairs,).
    """

    def __init__(self, separation: Separation) -> None:
        self._n = separation.shape[0]
        self._rows, self._columns = np.tril_indices(self._n)
        places = self._rows * self._n + self._columns
        self.differences = separation.differences[:, places]
        self.alone = separation.alone[:, places]
        self.is_same = self._rows == self._columns

    def matrix(self, covariance: Array) -> Array:
        """Return the pairs' covariance as a matrix, of which the part above the diagonal is empty."""
        matrix = np.zeros((self._n, self._n))
        matrix[self._rows, self._columns] = covariance
        return matrix

    def slope(self, inverse: Array, weights: Array) -> Array:
        """Return the slope of the negative logarithm of the likelihood along each pair's covariance.

        Args:
            inverse: The inverse covariance matrix, of which nothing above the diagonal is read.
            weights: That matrix times the values.
        """
        slope = inverse[self._rows, self._columns] - weights[self._rows] * weights[self._columns]
        return np.where(self.is_same, 0.5, 1.0) * slope
