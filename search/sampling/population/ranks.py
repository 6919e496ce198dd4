"""The best and the worst members of a population."""

from __future__ import annotations

import math
from collections.abc import Mapping


def quantiles(losses: Mapping[int, float], quantile: float) -> tuple[list[int], list[int]]:
    """Return the members of the top quantile, best first, and those of the bottom one, worst first.

    Either has the share `quantile` of all members, rounded down, so that small populations have none. Of equal members
    the one with the lower number counts as better.

    Args:
        losses: Number of a member -> its loss; less is better.
        quantile: A share above 0 and up to a half.
    """
    n = math.floor(quantile * len(losses) + 1e-9)  # 0.2 * 15 is a little less than 3
    ordered = sorted(losses, key=lambda number: (losses[number], number))
    return ordered[:n], ordered[::-1][:n]
