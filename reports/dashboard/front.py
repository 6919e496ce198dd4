"""The best trials that optuna-dashboard lists: those within the limits that no other such trial dominates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from tunefront.objectives.dominance import on_front
from tunefront.objectives.measures import Direction


def best_trials(trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection]) -> list[FrozenTrial]:
    """Return the front of the complete trials that break no constraint; ties are all kept.

    optuna-dashboard's figures leave out trials that break a constraint, but its own list of best trials does not.
    """
    feasible = [
        trial
        for trial in trials
        if trial.state == TrialState.COMPLETE and all(violation <= 0 for violation in trial.constraints.values())
    ]
    wanted: list[Direction] = ["maximize" if each == StudyDirection.MAXIMIZE else "minimize" for each in directions]
    mask = on_front(np.array([trial.values for trial in feasible], dtype=float), wanted)
    return [trial for trial, is_best in zip(feasible, mask, strict=True) if is_best]
