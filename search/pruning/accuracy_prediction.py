"""The prediction of a learning curve's end from the finished curves of the same study.

The future gain of a curve is measured in logits, because going from 98 % to 99 % is as much as going from 50 % to 67 %:
both halve the odds of an error. The gains that finished trials made from the same epoch on give a mean and a spread;
trials that stood nearer weigh more. Student's t gives an upper bound that is wide while few trials have finished.
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
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit  # type: ignore[import-untyped, unused-ignore]

Floats = NDArray[np.float64]

MIN_FINISHED = 8  # finished trials that a prediction needs
_HIGHEST_ACCURACY = 0.9995  # accuracies are clipped to this and to 1 - this, so that logits stay finite
_HALF_WEIGHT_LOGITS = 1.0  # the distance in logits at which a finished trial weighs half
_TRAINING_SHARE = 0.6  # in the first epoch's level; 0.5 to 0.75 did about as well on recorded trainings


@dataclass(frozen=True)
class AccuracyPrediction:
    """The distribution of the accuracy that a trial will end with: Student's t in logits.

    Attributes:
        least: The lowest possible end: the best accuracy so far, if no finished trial ever lost accuracy again.
        expected: The expected end, in logits.
        spread: The spread of a new trial around `expected`, in logits; 0 if all gained the same.
        freedom: The degrees of freedom.
    """

    least: float
    expected: float
    spread: float
    freedom: float

    def exceeded_with(self, chance: float) -> float:
        """Return the accuracy that the end exceeds with this chance; 1 if it is within 0.0005 of 1."""
        logit = self.expected + self.spread * float(stdtrit(self.freedom, 1 - chance))
        end = max(self.least, round(1 / (1 + math.exp(-logit)), 9))
        return 1.0 if end >= _HIGHEST_ACCURACY else end

    def chance_above(self, accuracy: float) -> float:
        """Return the chance that the end is above `accuracy`."""
        if accuracy < self.least:
            return 1.0
        if accuracy >= 1.0:
            return 0.0
        distance = float(logits(np.array(accuracy))) - self.expected
        if self.spread == 0:
            return float(distance < -1e-9)
        return 1 - float(stdtr(self.freedom, distance / self.spread))


def predict_end(level: float, levels: Floats, ends: Floats, least: float) -> AccuracyPrediction:
    """Predict the end of a curve that stands at `level`.

    Args:
        level: The curve's level, in logits, from :func:`learning_level`.
        levels: The levels of at least two finished trials at the same epoch, shape (n,).
        ends: The accuracy with which these ended, shape (n,).
        least: The lowest possible end.
    """
    gains = logits(ends) - levels
    weights = 1 / (1 + ((levels - level) / _HALF_WEIGHT_LOGITS) ** 2)
    weights /= weights.sum()
    n_effective = 1 / float(weights @ weights)
    mean = float(weights @ gains)
    variance = float(weights @ (gains - mean) ** 2) * n_effective / max(n_effective - 1, 1e-9)
    # Few trials are near, and none of them may have improved late. So the spread is at least that of all trials.
    variance = max(variance, float(gains.var(ddof=1)))
    return AccuracyPrediction(
        least=least,
        expected=level + mean,
        spread=math.sqrt(variance * (1 + 1 / n_effective)) if variance > 1e-18 else 0.0,
        freedom=max(n_effective - 1, 1.0),
    )


def learning_level(best: Floats, best_in_training: Floats, epoch: Floats, epochs: int) -> Floats:
    """Return the levels of learning curves in logits: a mean of both accuracies in which validation gains weight.

    If the training accuracy is NaN, the validation accuracy alone counts.

    Args:
        best: Validation accuracy of the best epoch so far.
        best_in_training: Training accuracy of the best epoch so far, of the same shape.
        epoch: Number of epochs so far, from 1, of the same shape.
        epochs: Number of epochs of a whole training.
    """
    weight = _TRAINING_SHARE * np.clip(1 - (epoch - 1) / epochs, 0, 1)
    known = np.where(np.isnan(best_in_training), best, best_in_training)
    return (1 - weight) * logits(best) + weight * logits(known)


def logits(accuracies: Floats) -> Floats:
    """Return the logarithms of the odds of being right."""
    clipped = np.clip(accuracies, 1 - _HIGHEST_ACCURACY, _HIGHEST_ACCURACY)
    result: Floats = np.log(clipped / (1 - clipped))
    return result
