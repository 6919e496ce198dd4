"""How long a whole training will take, judged by its epochs so far and by finished trials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search.curve_prediction import Floats
from search.finished import MIN_FINISHED

_QUANTILE = 0.25  # a first epoch says little: on digits it took 0.2 to 1.7 times a training's median epoch


def project_seconds(seconds: Sequence[float], n_to_come: int, wholes: Floats, so_far: Floats) -> float:
    """The seconds of a whole training, on the short side.

    At the lower quartile of what finished trials needed in all, as a multiple of what they had needed up to the same
    epoch. While too few tell, every epoch to come is taken as twice as fast as the fastest so far.

    Args:
        seconds: Of each epoch so far, at least one.
        n_to_come: Epochs that are certain to come.
        wholes: What each finished trial took, shape (n,).
        so_far: What it had taken up to the same epoch, shape (n,); NaN where that is not known.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = wholes / so_far
    ratios = ratios[np.isfinite(ratios)]
    if len(ratios) >= MIN_FINISHED:
        return sum(seconds) * max(float(np.quantile(ratios, _QUANTILE)), 1.0)
    return sum(seconds) + n_to_come * min(seconds) / 2
