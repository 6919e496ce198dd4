"""One number for several costs, by which models are ordered from cheap to dear."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def mean_log_costs(costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the logarithms of each row's costs, each column scaled to 0 for its least and 1 for its most.

    A column of equal costs tells nothing and is 0. Costs of 0 are taken as the smallest positive one of their column.

    Args:
        costs: Shape (n, m), m may be 0.

    Returns:
        Shape (n,), between 0 and 1; all 0 where there are no costs. A row with a NaN is NaN.
    """
    if not costs.size:
        return np.zeros(len(costs))
    positive = np.where(costs > 0, costs, np.nan)
    known = ~np.isnan(positive).all(axis=0)  # a column without any positive cost tells nothing
    least = np.where(known, np.nanmin(np.where(known, positive, 1.0), axis=0), 1.0)
    logs = np.log(np.where(costs > 0, costs, np.where(np.isnan(costs), np.nan, least)))
    low, high = np.nanmin(logs, axis=0), np.nanmax(logs, axis=0)
    scaled: NDArray[np.float64] = (logs - low) / np.where(high > low, high - low, 1.0)
    result: NDArray[np.float64] = scaled.mean(axis=1)
    return result
