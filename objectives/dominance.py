"""The points that no other point dominates, and the volume that they dominate."""

from __future__ import annotations

from collections.abc import Sequence

import moocore
import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.measures import Direction


def losses(points: NDArray[np.float64], directions: Sequence[Direction]) -> NDArray[np.float64]:
    """Turn `points` of shape (n, m) so that smaller is better on every one of m objectives."""
    signs = np.array([-1.0 if direction == "maximize" else 1.0 for direction in directions])
    result: NDArray[np.float64] = np.asarray(points, dtype=float).reshape(-1, len(signs)) * signs
    return result


def on_front(points: NDArray[np.float64], directions: Sequence[Direction]) -> NDArray[np.bool_]:
    """Find those of `points`, shape (n, m), that no other point dominates; ties are all kept.

    Returns:
        A mask of shape (n,). With n = 0 it is empty. A point with a NaN is never on the front
        and dominates nothing.
    """
    turned = losses(points, directions)
    mask: NDArray[np.bool_] = np.asarray(~np.isnan(turned).any(axis=1))
    if mask.any():
        mask[mask] = moocore.is_nondominated(turned[mask], keep_weakly=True)
    return mask


def dominating(
    point: Sequence[float], others: NDArray[np.float64], directions: Sequence[Direction]
) -> NDArray[np.bool_]:
    """Find those of `others`, shape (n, m), that dominate `point`: nowhere worse and somewhere better."""
    turned = losses(others, directions)
    mine = losses(np.array([point]), directions)[0]
    result: NDArray[np.bool_] = (turned <= mine).all(axis=1) & (turned < mine).any(axis=1)
    return result


def hypervolume(points: NDArray[np.float64], reference: Sequence[float], directions: Sequence[Direction]) -> float:
    """Return the volume that `points`, shape (n, m), dominate up to `reference`, shape (m,); 0 for no points.

    Costs are usually given as logarithms, because 1 MB against 2 MB matters as much as
    100 MB against 200 MB.
    """
    turned = losses(points, directions)
    turned = turned[~np.isnan(turned).any(axis=1)]
    if not len(turned):
        return 0.0
    return float(moocore.hypervolume(turned, ref=losses(np.array([reference]), directions)[0]))
