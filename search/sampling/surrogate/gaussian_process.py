"""A Gaussian process over candidates, for spaces whose parameters are numbers, choices, and there or not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_STEPS = 10  # of the fit
_STEP = 0.15  # of a logarithm
_LEAST, _MOST = -9.0, 3.0  # logarithms of what is fitted
_LEAST_NOISE = math.log(1e-4)
_USUAL_NOISE = math.log(1e-2)
_DECAY = 2.0  # of the additive part, over the whole range of a parameter


@dataclass(frozen=True)
class FittedKernel:
    """What a process was fitted to, for values whose variance is 1.

    Attributes:
        shares: The variance that each parameter explains alone.
        rates: How fast candidates become strangers with each parameter's difference.
        together: The variance that all parameters explain together.
        noise: The variance that nothing explains.
    """

    shares: tuple[float, ...]
    rates: tuple[float, ...]
    together: float
    noise: float


class GaussianProcess:
    """A Gaussian process whose kernel adds what each parameter does alone to what all do together.

    With differences d of the parameters, the covariance is ``sum_i a_i exp(-2 d_i) + b exp(-sum_i c_i d_i)``, and
    ``a``, ``b``, ``c`` and the noise maximise the likelihood times a weak prior, by a few steps of Adam. The additive
    part learns from few trials (Duvenaud et al., "Additive Gaussian processes", arXiv 1112.4394).

    Args:
        differences: Of the observed candidates from each other, shape (parameters, n, n), see `Differences`.
        values: What was observed, shape (n,).
    """

    def __init__(self, differences: Array, values: Array) -> None:
        self._n_parameters = len(differences)
        self._middle = float(values.mean())
        self._spread = float(values.std()) or 1.0
        self._usual = self._usual_logs()
        self._logs = self._fit(differences, self._scaled(values))
        self._condition(differences, values)

    @property
    def kernel(self) -> FittedKernel:
        """What was fitted."""
        n, found = self._n_parameters, np.exp(self._logs).tolist()
        return FittedKernel(tuple(found[:n]), tuple(found[n : 2 * n]), found[-2], found[-1])

    def observe(self, differences: Array, values: Array) -> None:
        """Take other observations in the place of those that it was fitted to, with the kernel as it is."""
        self._condition(differences, values)

    def predict(self, differences: Array) -> tuple[Array, Array]:
        """Return the mean and the standard deviation of m candidates, each of shape (m,).

        Args:
            differences: Of these from the observed candidates, shape (parameters, m, n).
        """
        additive, product = self._kernel(self._logs, differences)
        covariance = additive + product
        mean = covariance @ self._weights
        explained = np.square(np.linalg.solve(self._root, covariance.T)).sum(axis=0)
        whole = np.exp(self._logs[: self._n_parameters]).sum() + math.exp(self._logs[-2])
        deviation = np.sqrt(np.maximum(whole - explained, 1e-9))
        return self._middle + self._spread * mean, self._spread * deviation

    def _scaled(self, values: Array) -> Array:
        return (values - self._middle) / self._spread

    def _condition(self, differences: Array, values: Array) -> None:
        additive, product = self._kernel(self._logs, differences)
        noise = (math.exp(self._logs[-1]) + 1e-8) * np.eye(len(values))
        self._root = np.linalg.cholesky(additive + product + noise)
        self._weights = np.linalg.solve(self._root.T, np.linalg.solve(self._root, self._scaled(values)))

    def _usual_logs(self) -> Array:
        """Return where the fit begins: both parts explain a half, and the noise is a hundredth."""
        n = self._n_parameters
        return np.array([math.log(0.5 / max(n, 1))] * n + [0.0] * n + [math.log(0.5), _USUAL_NOISE])

    def _kernel(self, logs: Array, differences: Array) -> tuple[Array, Array]:
        n, shape = self._n_parameters, differences.shape[1:]
        flat = differences.reshape(n, -1)
        additive = np.exp(logs[:n]) @ np.exp(-_DECAY * flat)
        product = math.exp(logs[-2]) * np.exp(-np.exp(logs[n : 2 * n]) @ flat)
        return additive.reshape(shape), product.reshape(shape)

    def _fit(self, differences: Array, values: Array) -> Array:
        logs, best, least = self._usual.copy(), self._usual, math.inf
        mean, square = np.zeros_like(logs), np.zeros_like(logs)
        alone = np.exp(-_DECAY * differences.reshape(self._n_parameters, -1))
        for step in range(1, _STEPS + 1):
            loss, slope = self._loss(logs, differences, alone, values)
            if loss < least:
                least, best = loss, logs
            mean = 0.8 * mean + 0.2 * slope
            square = 0.95 * square + 0.05 * slope**2
            change = mean / (1 - 0.8**step) / (np.sqrt(square / (1 - 0.95**step)) + 1e-8)
            logs = np.clip(logs - _STEP * change, _LEAST, _MOST)
            logs[-1] = max(logs[-1], _LEAST_NOISE)
        return best

    def _loss(self, logs: Array, differences: Array, alone: Array, values: Array) -> tuple[float, Array]:
        """Return the negative logarithm of the posterior density, and its slope."""
        n, n_values = self._n_parameters, len(values)
        flat = differences.reshape(n, -1)
        shares, rates, noise = np.exp(logs[:n]), np.exp(logs[n : 2 * n]), math.exp(logs[-1])
        product = math.exp(logs[-2]) * np.exp(-rates @ flat)
        covariance = (shares @ alone + product).reshape(n_values, n_values) + (noise + 1e-8) * np.eye(n_values)
        inverse = np.linalg.inv(covariance)
        weights = inverse @ values
        loss = 0.5 * (values @ weights + np.linalg.slogdet(covariance)[1])
        outer = 0.5 * (inverse - np.outer(weights, weights))
        weighted = outer.ravel() * product
        slope = np.concatenate(
            [shares * (alone @ outer.ravel()), -rates * (flat @ weighted), [weighted.sum(), noise * np.trace(outer)]]
        )
        pull = np.array([0.1] * (2 * n) + [0.0, 0.04])  # towards where the fit began
        return float(loss + 0.5 * (pull * (logs - self._usual) ** 2).sum()), slope + pull * (logs - self._usual)
