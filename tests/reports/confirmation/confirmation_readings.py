"""What tests read from a confirmation: finalists by number, its terminal text, half an interval by Wilson's formula."""

from __future__ import annotations

import io
import math

import numpy as np
from rich.console import Console
from scipy import stats

from tunefront.reports.confirmation.confirmation import Confirmation, Confirmed
from tunefront.reports.confirmation.tables import confirmation_table


def by_number(confirmation: Confirmation) -> dict[int, Confirmed]:
    return {finalist.number: finalist for finalist in confirmation.finalists}


def wilson_side(share: float, n: int) -> float:
    """Return the longer side of SciPy's Wilson interval, interpolated for a share between two counts."""

    def side(n_right: int) -> float:
        found = stats.binomtest(n_right, n).proportion_ci(method="wilson")
        return max(n_right / n - found.low, found.high - n_right / n)

    below = math.floor(share * n)
    return float(np.interp(share * n, [below, below + 1], [side(below), side(min(below + 1, n))]))


def printed(confirmation: Confirmation, width: int = 160) -> str:
    file = io.StringIO()
    Console(width=width, file=file).print(confirmation_table(confirmation))
    return file.getvalue()
