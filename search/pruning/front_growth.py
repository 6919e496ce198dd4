"""The thinning of a front: many of its members now will be beaten before the study ends."""

from __future__ import annotations

import math

_EULER = 0.5772156649015329


def expected_front(n: int, n_objectives: int) -> float:
    """Return the expected number of non-dominated points among `n` random ones with 1, 2 or 3 objectives.

    Points and objectives are independent. These are the exact sums of Barndorff-Nielsen and Sobel (1966),
    https://doi.org/10.1137/1111020: 1, the harmonic number H(n), and (H(n)^2 + H2(n)) / 2. Real objectives conflict and
    make larger fronts, but only the ratio of two sizes is used here.
    """
    harmonic = math.log(n) + _EULER + 1 / (2 * n) - 1 / (12 * n**2)
    squares = math.pi**2 / 6 - 1 / n + 1 / (2 * n**2) - 1 / (6 * n**3)
    return (1.0, harmonic, (harmonic**2 + squares) / 2)[n_objectives - 1]


def chance_to_stay(n_ended: int, n_trials: int, n_objectives: int) -> float:
    """Return the chance that a trial on the front of `n_ended` trials is still on that of `n_trials`.

    With trials in random order it is the ratio of the shares of trials that are on the two fronts. With a sampler that
    learns, later trials are better, and the chance is smaller still.
    """
    if n_ended >= n_trials:
        return 1.0
    n = max(n_ended, 1)
    ratio = (expected_front(n_trials, n_objectives) / n_trials) / (expected_front(n, n_objectives) / n)
    return min(ratio, 1.0)
