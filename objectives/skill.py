"""The scale on which scores of the first axis are compared: larger is better, and equal gains are worth the same.

Accuracies are compared by their logits, errors by minus their logarithm. Halving an error is one gain on both scales,
wherever it begins: from 98 % to 99 %, and from an RMSE of 4 to one of 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.measures import Measure

Floats = NDArray[np.float64]

_HIGHEST_SHARE = 0.9995  # shares are clipped to this and to 1 - this, so that logits stay finite
# Predicted numbers have 32 bits. Errors are clipped to what such a number can be, so that logarithms stay finite.
_LEAST_ERROR, _LARGEST_ERROR = 1.2e-38, 3.4e38
_LEAST_REST = 1e-9  # 1 - R2 is clipped to this: it is a difference of numbers near 1, and has no more digits


@dataclass(frozen=True)
class SkillScale:
    """The scale of a measure.

    Attributes:
        best: The score that nothing passes.
        nearly_best: The score from which on the scale cannot tell scores from the best.
        worst: The worst possible score.
        skills: Turns scores into skills: finite numbers, larger is better.
        score: Turns a skill into a score. It is rounded, so that ties stay ties.
    """

    best: float
    nearly_best: float
    worst: float
    skills: Callable[[Floats], Floats]
    score: Callable[[float], float]

    def is_better(self, score: float, other: float) -> bool:
        """Return whether a score is better than another one; False for NaN."""
        return score > other if self.best > self.worst else score < other

    def better(self, score: float, other: float) -> float:
        """Return the better one of two scores, the first if they are equal."""
        return other if self.is_better(other, score) else score

    def skill(self, score: float) -> float:
        """Return the skill of one score."""
        return float(self.skills(np.array(score)))


def skill_scale(measure: Measure) -> SkillScale:
    """Return the scale of a measure of the first axis."""
    if measure.unit == "fraction":
        return LOGITS
    return _R2 if measure.direction == "maximize" else _ERRORS


def _logits(shares: Floats) -> Floats:
    """Return the logarithms of the odds of being right."""
    clipped = np.clip(shares, 1 - _HIGHEST_SHARE, _HIGHEST_SHARE)
    result: Floats = np.log(clipped / (1 - clipped))
    return result


def _share(logit: float) -> float:
    return round(1 / (1 + math.exp(-logit)), 9)


def _error_skills(errors: Floats) -> Floats:
    result: Floats = -np.log(np.clip(errors, _LEAST_ERROR, _LARGEST_ERROR))
    return result


def _error(skill: float) -> float:
    return float(f"{math.exp(-skill):.9g}")


def _r2_skills(scores: Floats) -> Floats:
    """Return the skills of coefficients of determination.

    1 - R2 is the squared error as a share of that of guessing. Half its logarithm is the logarithm of the error, so
    that R2 and RMSE of the same answers differ by a constant on their scales.
    """
    result: Floats = -np.log(np.clip(1 - scores, _LEAST_REST, _LARGEST_ERROR)) / 2
    return result


def _r2(skill: float) -> float:
    return round(1 - math.exp(-2 * skill), 9)


LOGITS = SkillScale(1.0, _HIGHEST_SHARE, 0.0, _logits, _share)
_ERRORS = SkillScale(0.0, _LEAST_ERROR, math.inf, _error_skills, _error)
_R2 = SkillScale(1.0, 1 - _LEAST_REST, -math.inf, _r2_skills, _r2)
