"""Where a learning curve will end, judged by the finished curves of the same study.

What a curve still gains is measured in logits, because from 98 % to 99 % is as far as from 50 % to 67 %: half of the
errors go. The gains that finished trials made from the same epoch on, those that stood nearer weighing more, give
a mean and a spread, and Student's t an upper bound that is wide while few have finished. Parametric families of
curves (Domhan et al., IJCAI 2015, https://www.ijcai.org/Proceedings/15/Papers/487.pdf) need more epochs than a hopeless
trial should get; here the shape comes from the other trials.

Where a curve stands is told by its validation accuracy and, in the first epochs above all, by its training accuracy:
with batch normalization the moving averages lag, and a network that has long learnt still guesses on validation images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit  # type: ignore[import-untyped, unused-ignore]

Floats = NDArray[np.float64]

MIN_FINISHED = 8  # trials, before anything is predicted from them
_HIGHEST_ACCURACY = 0.9995  # accuracies are taken as at most this and at least 1 - this: logits stay finite
_HALF_WEIGHT_LOGITS = 1.0  # logits at which a finished trial weighs half
_TRAINING_SHARE = 0.6  # of the first epoch's level; 0.5 to 0.75 did about as well on recorded trainings


@dataclass(frozen=True)
class AccuracyPrediction:
    """The accuracy a trial will end with: Student's t in logits.

    Attributes:
        least: No end is below it: the best so far, where no finished trial ever lost accuracy again.
        expected: In logits.
        spread: Of a new trial around `expected`, in logits; 0 if all gained the same.
        freedom: Degrees of freedom.
    """

    least: float
    expected: float
    spread: float
    freedom: float

    def exceeded_with(self, chance: float) -> float:
        """The accuracy that the end exceeds with this chance only; 1 where it is too near to that to be told."""
        logit = self.expected + self.spread * float(stdtrit(self.freedom, 1 - chance))
        end = max(self.least, round(1 / (1 + math.exp(-logit)), 9))
        return 1.0 if end >= _HIGHEST_ACCURACY else end

    def chance_above(self, accuracy: float) -> float:
        """Return how likely the end is above `accuracy`."""
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
        level: In logits, of :func:`learning_level`.
        levels: Where at least two finished trials stood at the same epoch, shape (n,).
        ends: Accuracy those ended with, shape (n,).
        least: No end is expected below this accuracy.
    """
    gains = logits(ends) - levels
    weights = 1 / (1 + ((levels - level) / _HALF_WEIGHT_LOGITS) ** 2)
    weights /= weights.sum()
    n_effective = 1 / float(weights @ weights)
    mean = float(weights @ gains)
    variance = float(weights @ (gains - mean) ** 2) * n_effective / max(n_effective - 1, 1e-9)
    # Never narrower than the spread of all: who is near is few, and the next late bloomer was not among them.
    variance = max(variance, float(gains.var(ddof=1)))
    return AccuracyPrediction(
        least=least,
        expected=level + mean,
        spread=math.sqrt(variance * (1 + 1 / n_effective)) if variance > 1e-18 else 0.0,
        freedom=max(n_effective - 1, 1.0),
    )


def learning_level(best: Floats, best_in_training: Floats, epoch: Floats, epochs: int) -> Floats:
    """Return where learning curves stand, in logits: a mean of both accuracies, of the validation one ever more.

    Where the training accuracy is NaN, the validation accuracy alone tells it.

    Args:
        best: Validation accuracy of the best epoch so far.
        best_in_training: The same of the training accuracy; of the same shape.
        epoch: Epochs so far, from 1; of the same shape.
        epochs: Of a whole training.
    """
    weight = _TRAINING_SHARE * np.clip(1 - (epoch - 1) / epochs, 0, 1)
    known = np.where(np.isnan(best_in_training), best, best_in_training)
    return (1 - weight) * logits(best) + weight * logits(known)


def logits(accuracies: Floats) -> Floats:
    """Log odds of being right."""
    clipped = np.clip(accuracies, 1 - _HIGHEST_ACCURACY, _HIGHEST_ACCURACY)
    result: Floats = np.log(clipped / (1 - clipped))
    return result
