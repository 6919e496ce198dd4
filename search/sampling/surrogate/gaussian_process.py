"""A Gaussian process over candidates, for spaces whose parameters are numbers, choices, and there or not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, lapack, solve_triangular

from tunefront.search.sampling.surrogate.separation import Array, Pairs, Separation

_STEPS = 10  # of the fit
_STEP = 0.15  # of a logarithm
_LEAST, _MOST = -9.0, 3.0  # logarithms of what is fitted
_LEAST_NOISE = math.log(1e-4)
_USUAL_NOISE = math.log(1e-2)


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
        separation: Of the observed candidates from each other.
        values: What was observed, shape (n,).
    """

    def __init__(self, separation: Separation, values: Array) -> None:
        self._n_parameters = len(separation.differences)
        self._middle = float(values.mean())
        self._spread = float(values.std()) or 1.0
        self._usual = self._usual_logs()
        self._logs = self._fit(separation.pairs, self._scaled(values))
        self._condition(separation, values)

    @property
    def kernel(self) -> FittedKernel:
        """What was fitted."""
        n, found = self._n_parameters, np.exp(self._logs).tolist()
        return FittedKernel(tuple(found[:n]), tuple(found[n : 2 * n]), found[-2], found[-1])

    def observe(self, separation: Separation, values: Array) -> None:
        """Take other observations in the place of those that it was fitted to, with the kernel as it is."""
        self._condition(separation, values)

    def predict(self, separation: Separation) -> tuple[Array, Array]:
        """Return the mean and the standard deviation of m candidates, each of shape (m,).

        Args:
            separation: Of these from the observed candidates.
        """
        covariance = self._covariance(separation)
        mean = covariance @ self._weights
        explained = np.square(solve_triangular(self._root, covariance.T, lower=True)).sum(axis=0)
        whole = np.exp(self._logs[: self._n_parameters]).sum() + math.exp(self._logs[-2])
        deviation = np.sqrt(np.maximum(whole - explained, 1e-9))
        return self._middle + self._spread * mean, self._spread * deviation

    def _scaled(self, values: Array) -> Array:
        return (values - self._middle) / self._spread

    def _condition(self, separation: Separation, values: Array) -> None:
        noise = (math.exp(self._logs[-1]) + 1e-8) * np.eye(len(values))
        self._root = np.linalg.cholesky(self._covariance(separation) + noise)
        self._weights = cho_solve((self._root, True), self._scaled(values))

    def _usual_logs(self) -> Array:
        """Return where the fit begins: both parts explain a half, and the noise is a hundredth."""
        n = self._n_parameters
        return np.array([math.log(0.5 / max(n, 1))] * n + [0.0] * n + [math.log(0.5), _USUAL_NOISE])

    def _covariance(self, separation: Separation) -> Array:
        n = self._n_parameters
        additive = np.exp(self._logs[:n]) @ separation.alone
        product = math.exp(self._logs[-2]) * np.exp(-np.exp(self._logs[n : 2 * n]) @ separation.differences)
        covariance: Array = (additive + product).reshape(separation.shape)
        return covariance

    def _fit(self, pairs: Pairs, values: Array) -> Array:
        logs, best, least = self._usual.copy(), self._usual, math.inf
        mean, square = np.zeros_like(logs), np.zeros_like(logs)
        for step in range(1, _STEPS + 1):
            loss, slope = self._loss(logs, pairs, values)
            if loss < least:
                least, best = loss, logs
            mean = 0.8 * mean + 0.2 * slope
            square = 0.95 * square + 0.05 * slope**2
            change = mean / (1 - 0.8**step) / (np.sqrt(square / (1 - 0.95**step)) + 1e-8)
            logs = np.clip(logs - _STEP * change, _LEAST, _MOST)
            logs[-1] = max(logs[-1], _LEAST_NOISE)
        return best

    def _loss(self, logs: Array, pairs: Pairs, values: Array) -> tuple[float, Array]:
        """Return the negative logarithm of the posterior density, and its slope."""
        n = self._n_parameters
        shares, rates, noise = np.exp(logs[:n]), np.exp(logs[n : 2 * n]), math.exp(logs[-1])
        product = math.exp(logs[-2]) * np.exp(-rates @ pairs.differences)
        root = np.linalg.cholesky(pairs.matrix(shares @ pairs.alone + product + (noise + 1e-8) * pairs.is_same))
        weights = cho_solve((root, True), values)
        loss = 0.5 * values @ weights + np.log(np.diag(root)).sum()
        outer = pairs.slope(lapack.dpotri(root, lower=True)[0], weights)
        weighted = outer * product
        of_noise = noise * outer[pairs.is_same].sum()
        slope = np.concatenate(
            [shares * (pairs.alone @ outer), -rates * (pairs.differences @ weighted), [weighted.sum(), of_noise]]
        )
        pull = np.array([0.1] * (2 * n) + [0.0, 0.04])  # towards where the fit began
        return float(loss + 0.5 * (pull * (logs - self._usual) ** 2).sum()), slope + pull * (logs - self._usual)
