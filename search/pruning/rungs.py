"""Rungs: the epochs at which trials are judged."""

from __future__ import annotations


def geometric_rungs(epochs: int, min_epochs: int, factor: float = 1.2) -> tuple[int, ...]:
    """Return the epochs at which trials are judged: `min_epochs`, then each `factor` (above 1) times the last."""
    rungs: list[int] = []
    rung = float(min_epochs)
    while round(rung) < epochs:
        if not rungs or round(rung) > rungs[-1]:
            rungs.append(round(rung))
        rung *= factor
    return tuple(rungs)
