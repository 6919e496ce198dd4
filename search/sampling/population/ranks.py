"""The best and the worst members of a population."""

from __future__ import annotations

import math
from collections.abc import Mapping


def quantiles(losses: Mapping[int, float], quantile: float, n_replaced: int = 0) -> tuple[list[int], list[int]]:
    """Return the members of the top quantile, best first, and those of the bottom one, worst first.

    Either has the share `quantile` of all members, rounded down, so that small populations have none. Of equal members
    the one with the lower number counts as better.

    Args:
        losses: Number of a member -> its loss; less is better.
        quantile: A share above 0 and up to a half.
        n_replaced: How many further members were among the worst, and have other weights by now. They take the lowest
            places; otherwise those above them would come down, and be replaced too.
    """
    n = math.floor(quantile * (len(losses) + n_replaced) + 1e-9)  # 0.29 * 100 is a little less than 29
    ordered = sorted(losses, key=lambda number: (losses[number], number))
    return ordered[:n], ordered[::-1][: max(n - n_replaced, 0)]
