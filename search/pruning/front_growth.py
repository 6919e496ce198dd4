"""How a front thins out: who is on it now will often have been beaten when the study ends."""

from __future__ import annotations

import math

_EULER = 0.5772156649015329


def expected_front(n: int, n_objectives: int) -> float:
    """Expected number of non-dominated points among `n` independent ones, with 1, 2 or 3 independent objectives.

    Exact sums of Barndorff-Nielsen and Sobel (1966), https://doi.org/10.1137/1111020: 1, the harmonic number H(n),
    and (H(n)^2 + H2(n)) / 2. Real objectives pull against each other and make larger fronts, but here only the ratio
    of two sizes counts.
    """
    harmonic = math.log(n) + _EULER + 1 / (2 * n) - 1 / (12 * n**2)
    squares = math.pi**2 / 6 - 1 / n + 1 / (2 * n**2) - 1 / (6 * n**3)
    return (1.0, harmonic, (harmonic**2 + squares) / 2)[n_objectives - 1]


def chance_to_stay(n_ended: int, n_trials: int, n_objectives: int) -> float:
    """Return how likely a trial that is on the front of `n_ended` trials is still on that of `n_trials`.

    With trials in random order it is the ratio of the shares that the two fronts have of their trials. A sampler that
    learns makes later trials better, and the chance smaller still.
    """
    if n_ended >= n_trials:
        return 1.0
    n = max(n_ended, 1)
    ratio = (expected_front(n_trials, n_objectives) / n_trials) / (expected_front(n, n_objectives) / n)
    return min(ratio, 1.0)
