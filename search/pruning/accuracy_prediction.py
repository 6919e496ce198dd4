"""The prediction of a learning curve's end from the finished curves of the same study.

The future gain of a curve is measured in logits, because going from 98 % to 99 % is as much as going from 50 % to 67 %:
both halve the odds of an error. Of errors, such as an RMSE, it is measured in logarithms. Either number is called a
skill (:mod:`tunefront.objectives.skill`). The gains that finished trials made from the same epoch on give a mean and a
spread; trials that stood nearer weigh more. Student's t gives an upper bound that is wide while few have finished.
Parametric families of curves (Domhan et al., IJCAI 2015, https://www.ijcai.org/Proceedings/15/Papers/487.pdf) need more
epochs than a hopeless trial should get; here the shape comes from the other trials.

The level of a curve follows from its validation accuracy and, mainly in the first epochs, from its training accuracy.
With batch normalization the moving averages lag, so that a network that has already learnt may still guess on
validation images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit  # type: ignore[import-untyped, unused-ignore]

from tunefront.objectives.skill import Floats, SkillScale

MIN_FINISHED = 8  # finished trials that a prediction needs
_HALF_WEIGHT_DISTANCE = 1.0  # in skill: the distance at which a finished trial weighs half
_TRAINING_SHARE = 0.6  # in the first epoch's level; 0.5 to 0.75 did about as well on recorded trainings


@dataclass(frozen=True)
class AccuracyPrediction:
    """The distribution of the score that a trial will end with: Student's t in skills.

    Attributes:
        assured: The worst possible end: the best score so far, if no finished trial ever lost skill again.
        expected: The skill of the expected end.
        spread: The spread of a new trial around `expected`, in skill; 0 if all gained the same.
        freedom: The degrees of freedom.
    """

    scale: SkillScale
    assured: float
    expected: float
    spread: float
    freedom: float

    def exceeded_with(self, chance: float) -> float:
        """Return the score that the end is better than with this chance; the best one if the scale tells no better."""
        skill = self.expected + self.spread * float(stdtrit(self.freedom, 1 - chance))
        end = self.scale.better(self.assured, self.scale.score(skill))
        return end if self.scale.is_better(self.scale.nearly_best, end) else self.scale.best

    def chance_above(self, score: float) -> float:
        """Return the chance that the end is better than `score`; an infinite one asks nothing."""
        if self.scale.is_better(self.assured, score) or math.isinf(score):
            return 1.0
        if not self.scale.is_better(self.scale.best, score):
            return 0.0
        distance = self.scale.skill(score) - self.expected
        if self.spread == 0:
            return float(distance < -1e-9)
        return 1 - float(stdtr(self.freedom, distance / self.spread))


def predict_end(scale: SkillScale, level: float, levels: Floats, ends: Floats, assured: float) -> AccuracyPrediction:
    """Predict the end of a curve that stands at `level`.

    Args:
        scale: That of the score.
        level: The curve's level, a skill, from :func:`learning_level`.
        levels: The levels of at least two finished trials at the same epoch, shape (n,).
        ends: The score with which these ended, shape (n,).
        assured: The worst possible end.
    """
    gains = scale.skills(ends) - levels
    weights = 1 / (1 + ((levels - level) / _HALF_WEIGHT_DISTANCE) ** 2)
    weights /= weights.sum()
    n_effective = 1 / float(weights @ weights)
    mean = float(weights @ gains)
    variance = float(weights @ (gains - mean) ** 2) * n_effective / max(n_effective - 1, 1e-9)
    # Few trials are near, and none of them may have improved late. So the spread is at least that of all trials.
    variance = max(variance, float(gains.var(ddof=1)))
    return AccuracyPrediction(
        scale=scale,
        assured=assured,
        expected=level + mean,
        spread=math.sqrt(variance * (1 + 1 / n_effective)) if variance > 1e-18 else 0.0,
        freedom=max(n_effective - 1, 1.0),
    )


def learning_level(scale: SkillScale, best: Floats, best_in_training: Floats, epoch: Floats, epochs: int) -> Floats:
    """Return the levels of learning curves in skill: a mean of both scores in which validation gains weight.

    If the training score is NaN, the validation score alone counts.

    Args:
        scale: That of the score.
        best: Validation score of the best epoch so far.
        best_in_training: Training score of the best epoch so far, of the same shape.
        epoch: Number of epochs so far, from 1, of the same shape.
        epochs: Number of epochs of a whole training.
    """
    weight = _TRAINING_SHARE * np.clip(1 - (epoch - 1) / epochs, 0, 1)
    known = np.where(np.isnan(best_in_training), best, best_in_training)
    return (1 - weight) * scale.skills(best) + weight * scale.skills(known)
