"""The finalists of a search, worth training again: its front, and trials that noise may have kept off it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunefront.objectives.dominance import dominating, on_front
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import Measure
from tunefront.objectives.noise import noise
from tunefront.storage.population.stages import Stage, changes
from tunefront.storage.trials import TrialRecord

COST_NOISE = 0.1  # share of a measured cost; a cost that the built model tells has no noise


@dataclass(frozen=True)
class Finalist:
    """A trial of a search whose candidate is to be confirmed.

    Attributes:
        number: The trial's number.
        distance: The distance from the front, as a share of the noise: 0 on it, 1 for the last near miss.
        stages: The stages of its training, whose settings each training repeats with its own weights.
    """

    number: int
    parameters: Mapping[str, Any]
    is_on_front: bool
    distance: float
    stages: Sequence[Stage] = ()


def choose_finalists(
    trials: Sequence[TrialRecord], objectives: Sequence[Objective], n_validation: int, n_near: int | None = None
) -> list[Finalist]:
    """Return the front in the order of trial numbers, then the near misses, the nearest first.

    A near miss is a complete trial within the limits that noise alone may have kept off the front: each
    member of the front that beats it would no longer do so, were the trial's score two standard errors
    better, or one of its measured costs 10 % lower. This is epsilon-dominance with the noise as epsilon.
        Only the first of several trials with the same parameters is taken.

    Args:
        trials: The search's trials; those that are not complete or break a limit are skipped.
        n_validation: Number of images that accuracy is measured on; 0 if unknown, and then it has no noise.
        n_near: The highest number of near misses; None is half as many as the front has, and at least 2.
    """
    feasible = [trial for trial in trials if trial.state == "complete" and trial.is_feasible]
    if not feasible:
        return []
    directions = [objective.measure.direction for objective in objectives]
    points = np.array([trial.values for trial in feasible], dtype=float)
    mask = on_front(points, directions)
    front = [
        Finalist(t.number, t.parameters, True, 0.0, t.stages) for t, is_on in zip(feasible, mask, strict=True) if is_on
    ]
    members = points[mask]
    near = []
    for trial, point in zip(feasible, points, strict=True):
        beating = members[dominating(point, members, directions)]
        if len(beating):
            distance = max(_distance(point, better, objectives, n_validation) for better in beating)
            near.append(Finalist(trial.number, trial.parameters, False, distance, trial.stages))
    near = sorted((finalist for finalist in near if finalist.distance <= 1), key=lambda f: (f.distance, f.number))
    front = _distinct(front)
    limit = max(2, math.ceil(len(front) / 2)) if n_near is None else n_near
    return front + _distinct([*front, *near])[len(front) : len(front) + limit]


def _distance(point: Sequence[float], better: Sequence[float], objectives: Sequence[Objective], n_images: int) -> float:
    """Return how much of the noise `point` needs to be ahead of `better`, which dominates it, on one objective."""
    gaps = zip(point, better, (objective.measure for objective in objectives), strict=True)
    return min(_gap(float(value), float(best), measure, n_images) for value, best, measure in gaps)


def _gap(value: float, best: float, measure: Measure, n_images: int) -> float:
    if measure.axis == "accuracy":
        size = noise(value, n_images, measure)
        return abs(best - value) / size if size > 0 else math.inf  # not known, or of an error of 0
    if not measure.has_noise or value <= 0 or best <= 0:
        return math.inf
    return math.log(best / value) / math.log(1 - COST_NOISE)


def _distinct(finalists: Sequence[Finalist]) -> list[Finalist]:
    """Return the finalists without those whose parameters, throughout their training, an earlier one has."""
    found: dict[str, Finalist] = {}
    for finalist in finalists:
        course = [(epoch, sorted(changed.items())) for epoch, changed in changes(finalist.stages)]
        found.setdefault(repr((sorted(finalist.parameters.items()), course)), finalist)
    return list(found.values())
