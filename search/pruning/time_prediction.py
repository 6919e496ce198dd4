"""How long a whole training will take, judged by its epochs so far and by finished trials."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit  # type: ignore[import-untyped, unused-ignore]

from tunefront.search.pruning.accuracy_prediction import MIN_FINISHED, Floats


@dataclass(frozen=True)
class TimePrediction:
    """The seconds of a whole training.

    Attributes:
        logs: Logarithms of the seconds if it goes on as each finished trial did, shape (n,); empty while too few tell.
        least: Seconds that it takes at least, of which alone something is known then.
    """

    logs: Floats
    least: float = 0.0

    @property
    def lower_quartile(self) -> float:
        """The seconds below which a quarter of the finished trials would have been."""
        return self._seconds(float(np.quantile(self.logs, 0.25))) if len(self.logs) else self.least

    def undercut_with(self, chance: float) -> float:
        """Return the seconds that the training stays below with this chance only.

        By the finished trials themselves, or by Student's t if that is shorter: where few have finished, the fastest is
        yet to come, and where a busy machine slowed some epochs down, no t distribution holds.
        """
        if not len(self.logs):
            return self.least
        by_t = self._mean + self._spread * float(stdtrit(len(self.logs) - 1, chance))
        return self._seconds(min(by_t, float(np.quantile(self.logs, chance))))

    def chance_within(self, seconds: float) -> float:
        """Return how likely it takes at most so long, by the more hopeful of the two."""
        if not len(self.logs):
            return float(self.least <= seconds)
        most = math.log(seconds) + 1e-9
        share = float((self.logs <= most).mean())
        if self._spread < 1e-9:
            return share
        return max(share, float(stdtr(len(self.logs) - 1, (most - self._mean) / self._spread)))

    @staticmethod
    def _seconds(logarithm: float) -> float:
        return float(f"{math.exp(logarithm):.9g}")  # ties stay ties

    @property
    def _mean(self) -> float:
        return float(self.logs.mean())

    @property
    def _spread(self) -> float:
        """Of a new trial around the mean."""
        return float(self.logs.std(ddof=1)) * math.sqrt(1 + 1 / len(self.logs))


def settled_so_far(seconds: Sequence[float]) -> Floats:
    """Seconds up to each epoch, shape (epochs,), the first epoch taken as a later one where it took longer.

    It may have compiled, and what is measured of a whole training does not count that. What it would have taken else
    is not known until there is a second one.
    """
    later: list[float] = []  # sorted: a median of twenty numbers by NumPy takes longer than all else here
    firsts = [seconds[0]]
    for each in seconds[1:]:
        insort(later, each)
        middle = len(later) // 2
        median = later[middle] if len(later) % 2 else (later[middle - 1] + later[middle]) / 2
        firsts.append(min(seconds[0], median))
    so_far: Floats = np.cumsum([0.0, *seconds[1:]]) + firsts
    return so_far


def project_seconds(seconds: Sequence[float], n_to_come: int, wholes: Floats, so_far: Floats) -> TimePrediction:
    """Predict the seconds of a whole training.

    By what finished trials needed in all, as a multiple of what they had needed up to the same epoch. While too few
    tell, every epoch to come is taken as twice as fast as the fastest so far, and the first one alone tells nothing.

    Args:
        seconds: Of each epoch so far, at least one.
        n_to_come: Epochs that are certain to come.
        wholes: What each finished trial took, shape (n,).
        so_far: What it had taken up to the same epoch, as :func:`settled_so_far` counts, shape (n,); NaN where that
            is not known.
    """
    own = float(settled_so_far(seconds)[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log(wholes / so_far)
    ratios = ratios[np.isfinite(ratios)]
    if len(ratios) >= MIN_FINISHED and own > 0:
        return TimePrediction(math.log(own) + ratios)
    least = own + n_to_come * min(seconds) / 2 if len(seconds) > 1 else 0.0
    return TimePrediction(np.empty(0), least)
