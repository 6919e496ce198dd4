"""The prediction of a training's seconds from its epochs so far and from finished trials."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit  # type: ignore[import-untyped, unused-ignore]

from tunefront.objectives.skill import Floats
from tunefront.search.pruning.accuracy_prediction import MIN_FINISHED


@dataclass(frozen=True)
class TimePrediction:
    """The distribution of the seconds of a whole training.

    Attributes:
        logs: Logarithms of the seconds if the training goes on like each finished trial, shape (n,); empty while too
            few have finished.
        least: The fewest seconds that it takes; all that is known while `logs` is empty.
        once: The seconds that are added to those of its epochs, whatever these take.
    """

    logs: Floats
    least: float = 0.0
    once: float = 0.0

    @property
    def lower_decile(self) -> float:
        """The seconds below which the training stays like one finished trial in ten."""
        if not len(self.logs):
            return self.least + self.once
        return self._seconds(float(np.quantile(self.logs, 0.1)))

    def undercut_with(self, chance: float) -> float:
        """Return the seconds that the training stays below with this chance.

        It is the quantile of the finished trials themselves, or that of Student's t if that is shorter. While few have
        finished, a faster one may still come. If a busy machine slowed some epochs down, no t distribution fits.
        """
        if not len(self.logs):
            return self.least + self.once
        by_t = self._mean + self._spread * float(stdtrit(len(self.logs) - 1, chance))
        return self._seconds(min(by_t, float(np.quantile(self.logs, chance))))

    def chance_within(self, seconds: float) -> float:
        """Return the chance that the training takes at most so long, by the more optimistic of the two."""
        if not len(self.logs):
            return float(self.least + self.once <= seconds)
        if seconds <= self.once:
            return 0.0
        most = math.log(seconds - self.once) + 1e-9
        share = float((self.logs <= most).mean())
        if self._spread < 1e-9:
            return share
        return max(share, float(stdtr(len(self.logs) - 1, (most - self._mean) / self._spread)))

    def _seconds(self, logarithm: float) -> float:
        return float(f"{math.exp(logarithm) + self.once:.9g}")  # rounded, so that ties stay ties

    @property
    def _mean(self) -> float:
        return float(self.logs.mean())

    @property
    def _spread(self) -> float:
        """The spread of a new trial around the mean."""
        return float(self.logs.std(ddof=1)) * math.sqrt(1 + 1 / len(self.logs))


def settled_so_far(seconds: Sequence[float]) -> Floats:
    """Return the seconds up to each epoch, shape (epochs,); a slower first epoch counts as a later one.

    The first epoch may include compiling, which the measured time of a whole training does not. Its time without
    compiling is unknown until there is a second epoch.
    """
    later: list[float] = []  # sorted, because NumPy's median of twenty numbers takes longer than all else here
    firsts = [seconds[0]]
    for each in seconds[1:]:
        insort(later, each)
        middle = len(later) // 2
        median = later[middle] if len(later) % 2 else (later[middle - 1] + later[middle]) / 2
        firsts.append(min(seconds[0], median))
    so_far: Floats = np.cumsum([0.0, *seconds[1:]]) + firsts
    return so_far


def project_seconds(
    seconds: Sequence[float], n_to_come: int, wholes: Floats, so_far: Floats, once: float = 0.0
) -> TimePrediction:
    """Predict the seconds of a whole training.

    The prediction is the ratio of all seconds of finished trials to their seconds up to the same epoch. While too few
    have finished, every future epoch is taken as twice as fast as the fastest so far, and a first epoch alone tells
    nothing.

    Args:
        seconds: The seconds of each epoch so far, at least one.
        n_to_come: The number of epochs that are certain to come.
        wholes: The seconds of all epochs of each finished trial, shape (n,).
        so_far: Its seconds up to the same epoch, as :func:`settled_so_far` counts, shape (n,); NaN where unknown.
        once: The seconds that this training's whole contains beside those of its epochs.
    """
    own = float(settled_so_far(seconds)[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log(wholes / so_far)
    ratios = ratios[np.isfinite(ratios)]
    if len(ratios) >= MIN_FINISHED and own > 0:
        return TimePrediction(math.log(own) + ratios, once=once)
    least = own + n_to_come * min(seconds) / 2 if len(seconds) > 1 else 0.0
    return TimePrediction(np.empty(0), least, once)
