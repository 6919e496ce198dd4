"""Differences that do not count: which models are as good as each other, and which of a front stand for the others.

A tolerance is what a person does not care about. Noise, what a measurement cannot tell, is another thing: it stands in
:mod:`tunefront.objectives.noise`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.cheapness import mean_log_costs
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import Axis, Measure

DEFAULT_POINTS = 0.005  # of scores: half a percentage point
DEFAULT_SHARE = 0.05  # of costs and errors
_ROUNDING = 1e-9  # the relative error of a difference of floats that is still taken for equal


def is_share_of_value(measure: Measure) -> bool:
    """Return whether a tolerance of the measure is a share of its values, as of costs; of scores it is a difference."""
    return measure.direction == "minimize"


def tolerance_of(objective: Objective) -> float:
    """Return the tolerance of an objective: points of a score (0.005 is half a point), or a share of a cost."""
    if objective.tolerance is not None:
        return objective.tolerance
    return DEFAULT_SHARE if is_share_of_value(objective.measure) else DEFAULT_POINTS


def within(first: float, second: float, objective: Objective) -> bool:
    """Return whether two values differ by no more than the objective's tolerance; NaN is like nothing.

    A share is taken of the smaller value, so that the order of the two does not matter.
    """
    tolerance = tolerance_of(objective)
    distance = abs(first - second)
    if is_share_of_value(objective.measure):
        return distance <= (tolerance + _ROUNDING) * min(abs(first), abs(second))
    return distance <= tolerance + _ROUNDING


def thinned(
    points: NDArray[np.float64], numbers: Sequence[int], objectives: Mapping[Axis, Objective]
) -> dict[int, list[int]]:
    """Choose the points that stand for all others, by a greedy cover: the cheapest first, ties by number.

    Args:
        points: A front, shape (n, m), a column for each objective in order.
        numbers: The number of each point.

    Returns:
        The number of each point that is kept -> the numbers of those it stands for, which differ from it by no more
        than the tolerance on every objective. A point is stood for by the first that covers it.
    """
    costs = [column for column, axis in enumerate(objectives) if axis != "accuracy"]
    dearness = mean_log_costs(points[:, costs])
    order = np.lexsort((np.asarray(numbers), dearness))
    is_open = np.ones(len(numbers), dtype=bool)
    kept: dict[int, list[int]] = {}
    for row in order:
        if not is_open[row]:
            continue
        is_open[row] = False
        others = np.flatnonzero(is_open)
        alike = others[_are_alike(points[row], points[others], objectives)]
        is_open[alike] = False
        kept[numbers[row]] = sorted(numbers[other] for other in alike)
    return kept


def _are_alike(
    point: NDArray[np.float64], others: NDArray[np.float64], objectives: Mapping[Axis, Objective]
) -> NDArray[np.bool_]:
    """Return which of `others`, shape (n, m), are :func:`within` the tolerance of a point on every objective."""
    found = np.ones(len(others), dtype=bool)
    for value, column, objective in zip(point, others.T, objectives.values(), strict=True):
        most = tolerance_of(objective) + _ROUNDING
        if is_share_of_value(objective.measure):
            found &= np.abs(column - value) <= most * np.minimum(np.abs(column), abs(value))
        else:
            found &= np.abs(column - value) <= most
    return found


def loosened(value: float, objective: Objective) -> float:
    """Return the worst value that is as good as `value` within the tolerance; an infinitely good one has no other."""
    tolerance = tolerance_of(objective) + _ROUNDING
    if not is_share_of_value(objective.measure):
        return value - tolerance
    return value + tolerance * abs(value) if math.isfinite(value) else value


def tightened(value: float, objective: Objective) -> float:
    """Return the best value that `value` is as good as within the tolerance."""
    tolerance = tolerance_of(objective)
    if not is_share_of_value(objective.measure):
        return value + tolerance
    return value / (1 + tolerance) if value > 0 else value / (1 - tolerance)


def as_good(
    point: Sequence[float], others: NDArray[np.float64], objectives: Mapping[Axis, Objective]
) -> NDArray[np.bool_]:
    """Return which of `others`, shape (n, m), are nowhere worse than a point by more than the tolerance.

    They form an epsilon-dominance (Laumanns et al., 2002, https://doi.org/10.1162/106365602760234108) with an epsilon
    for each objective: what one of them stands for is not missed. No finite value is as good as an infinitely
    good one, and NaN is as good as nothing.
    """
    found = np.ones(len(others), dtype=bool)
    for value, column, objective in zip(point, others.T, objectives.values(), strict=True):
        worst = loosened(value, objective)
        found &= column <= worst if objective.measure.direction == "minimize" else column >= worst
    return found


def describe_tolerance(objective: Objective) -> str:
    """Return the tolerance as text for people: ``"0.5 points"``, ``"5 %"``, ``"0.005"``."""
    tolerance = tolerance_of(objective)
    if is_share_of_value(objective.measure):
        return f"{100 * tolerance:.3g} %"
    return f"{100 * tolerance:.3g} points" if objective.measure.unit == "fraction" else f"{tolerance:.3g}"


def is_usable(tolerance: float) -> bool:
    """Return whether a number can be a tolerance: from 0, which switches it off, to below 1."""
    return math.isfinite(tolerance) and 0 <= tolerance < 1
