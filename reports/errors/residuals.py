"""The errors of predicted numbers, summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Residuals:
    """The errors of a model's numbers, each the answer less the label, in the unit of the labels.

    Attributes:
        n: The number of examples.
        bias: The mean error: above 0 where it answers too high.
        bias_standard_error: NaN of one example.
        mae: The mean size of an error; `rmse` the root of the mean square.
        median: The size that half of the errors do not exceed; `p90` nine in ten, `largest` all.
    """

    n: int
    bias: float
    bias_standard_error: float
    mae: float
    rmse: float
    median: float
    p90: float
    largest: float

    @property
    def is_biased(self) -> bool:
        """Whether the mean error is further from 0 than two standard errors."""
        return abs(self.bias) > 2 * self.bias_standard_error


def sum_up(labels: Sequence[float], numbers: Sequence[float]) -> Residuals:
    """Sum up the errors of predicted numbers."""
    errors = np.asarray(numbers, dtype=np.float64) - np.asarray(labels, dtype=np.float64)
    sizes, n = np.abs(errors), len(errors)
    return Residuals(
        n=n,
        bias=float(errors.mean()),
        bias_standard_error=float(errors.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan"),
        mae=float(sizes.mean()),
        rmse=float(np.sqrt(np.mean(errors**2))),
        median=float(np.median(sizes)),
        p90=float(np.quantile(sizes, 0.9)),
        largest=float(sizes.max()),
    )


def describe_residuals(found: Residuals, examples: str) -> list[str]:
    """Return what the errors are like, in two sentences.

    Args:
        examples: What was answered to: ``rows`` or ``examples``.
    """
    spread = f"{abs(found.bias):.3g}, give or take {2 * found.bias_standard_error:.2g} (two standard errors)"
    if found.is_biased:
        leaning = f"It answers too {'high' if found.bias > 0 else 'low'} by {spread}."
    else:
        leaning = f"Neither too high nor too low on average, as far as {found.n} {examples} tell: {found.bias:+.3g}."
    return [
        f"Half of the errors are at most {found.median:.4g}, nine in ten at most {found.p90:.4g}, the largest is "
        f"{found.largest:.4g}; mean size (MAE) {found.mae:.4g}, RMSE {found.rmse:.4g}.",
        leaning,
    ]
