"""The queue of known good candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunefront.spaces.grid import Grid
from tunefront.storage.open_study import OpenStudy


def enqueue_starts(study: OpenStudy, starts: Sequence[Mapping[str, Any]], grid: Grid | None = None) -> int:
    """Queue each start candidate once, even if another process does so at this moment; return how many were queued.

    Args:
        grid: The study's grid, if it has one. A candidate that leaves parameters out then becomes the first matching
            point that was not tried, or none if all were.
    """
    n_new = 0
    with study.exclusively():
        for number, start in enumerate(starts, start=1):
            trials = study.optuna.get_trials(deepcopy=False)
            if number in {trial.user_attrs.get("start") for trial in trials}:
                continue
            parameters = start if grid is None else grid.next_point(trials, start)
            if parameters is not None:
                study.optuna.enqueue_trial(dict(parameters), user_attrs={"start": number})
                n_new += 1
    return n_new
