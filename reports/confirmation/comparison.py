"""The comparison of finalists: which are on the front, which are beaten, and how far the search overestimated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.limits import broken_limit, read_extra_limits
from tunefront.objectives.measures import Axis
from tunefront.reports.confirmation.confirmation import Confirmed, gap_winners
from tunefront.reports.confirmation.scores import ImageScores, Trainings
from tunefront.reports.confirmation.statistics import (
    ENOUGH_SEEDS,
    Estimate,
    beaten_shares,
    front_shares,
    mean_of_means,
    resampled_means,
)
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord


def is_paired(compared: Trainings, score: ImageScores) -> bool:
    """Return whether every training's answers to each image are known."""
    return all(training.number in score.drawn for trainings in compared.values() for training in trainings)


def compare(results: StudyResults, compared: Trainings, score: ImageScores) -> dict[int, dict[str, Any]]:
    """Return the probabilities of :class:`Confirmed` by bootstrap for each finalist, and the one that beats it.

    Args:
        compared: Finalists with at least two trainings.
    """
    if not compared:
        return {}
    objectives = list(results.objectives.values())
    means = _resampled(results, compared, score, list(results.objectives))
    outside = _outside_further_limits(results, compared, score)
    on_front, beaten = front_shares(means, objectives, outside), beaten_shares(means, objectives, outside)
    numbers = list(compared)
    n_seeds = np.array([len(trainings) for trainings in compared.values()])
    chances = {}
    for row, number in enumerate(numbers):
        # A finalist with too few seeds cannot beat one that has enough: its own mean is not certain.
        rivals = np.flatnonzero(n_seeds >= min(n_seeds[row], ENOUGH_SEEDS))
        other, breaks_limit = int(rivals[beaten[row, rivals].argmax()]), beaten[row, row]
        is_other = beaten[row, other] - breaks_limit > breaks_limit
        chances[number] = {
            "front_probability": float(on_front[row]),
            "beaten_probability": float(beaten[row, other]),
            "limit_probability": float(breaks_limit),
            "beaten_by": numbers[other] if is_other else None,
            "fewest_seeds": int(n_seeds.min()),
        }
    return chances


def _outside_further_limits(results: StudyResults, compared: Trainings, score: ImageScores) -> NDArray[np.bool_]:
    """Return whether each finalist's mean breaks a limit on a measure that is no objective, shape (k,).

    Scores are those on the images that `score` is on. What no training measured breaks nothing.
    """
    is_test, outside = score.name.startswith("test_"), []
    for trainings in compared.values():
        means: dict[str, float] = {}
        for limit in read_extra_limits(results.study.spec):
            name = limit.measure.name
            source = f"test_{name}" if is_test and limit.measure.axis == "accuracy" else name
            found = [each.measurements[source] for each in trainings if source in each.measurements]
            means |= {name: float(np.mean(found))} if found else {}
        outside.append(bool(broken_limit(read_extra_limits(results.study.spec), means)))
    return np.array(outside)


def mean_gap(winners: Sequence[Confirmed], score: ImageScores) -> Estimate:
    """Return the gap between the score of the winners in the search and when trained again, over all winners.

    The interval covers the choice of seeds and that of images, which are the same for all winners. The score in the
    search is taken as exact.
    """
    counted = gap_winners(winners)
    seeds = mean_of_means([finalist.gap for finalist in counted])
    return replace(seeds, image_half_width=score.half_width(*(finalist.trainings for finalist in counted)))


def _resampled(
    results: StudyResults, compared: Trainings, score: ImageScores, axes: Sequence[Axis]
) -> NDArray[np.float64]:
    """Return resampled means of the finalists on these axes, shape (b, k, m): b resamples, k finalists, m axes."""
    samples = [
        np.array([[training_value(results, training, axis, score) for axis in axes] for training in trainings])
        for trainings in compared.values()
    ]
    drawn = [score.of(trainings) for trainings in compared.values()]
    known = [found for found in drawn if found is not None]
    column = axes.index("accuracy") if "accuracy" in axes else None
    is_number = score.is_number and column is not None
    size = float(np.mean([np.abs(sample[:, column]).mean() for sample in samples])) if is_number else 1.0
    return resampled_means(samples, known if len(known) == len(drawn) else None, column, size)


def training_value(results: StudyResults, training: TrialRecord, axis: Axis, score: ImageScores) -> float:
    """Return the value of one training on an axis; NaN if it was not measured."""
    name = score.name if axis == "accuracy" else results.measure(axis).name
    return training.measurements.get(name, math.nan)
