"""Trials that the `pareto` pruner judges, and finished ones that it compares them with."""

from __future__ import annotations

import numpy as np

from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.search.pruning.finished_trials import FinishedTrial
from tunefront.storage.curves import Epoch

EPOCHS = 10


def objectives(**limits: dict[str, float]) -> dict[Axis, Objective]:
    """Return the objectives accuracy, model_bytes and train_seconds, with limits by axis."""
    measures: dict[Axis, str] = {"accuracy": "accuracy", "memory": "model_bytes", "time": "train_seconds"}
    return {axis: Objective(MEASURES[name], **limits.get(axis, {})) for axis, name in measures.items()}


def curve(*accuracies: float, seconds: float = 1.0) -> list[Epoch]:
    return [Epoch(index + 1, accuracy, seconds, 0.5, {}) for index, accuracy in enumerate(accuracies)]


def finished(number: int, first: float, last: float, *costs: float, is_feasible: bool = True) -> FinishedTrial:
    """Return a finished trial whose accuracy was `first` in all epochs but the last, all as fast as each other."""
    seconds = (costs[1] if len(costs) > 1 else 10.0) / EPOCHS * np.arange(1, EPOCHS + 1)
    best_so_far = np.array([first] * (EPOCHS - 1) + [last])
    return FinishedTrial(number, best_so_far, (last, *costs), is_feasible, {"train_seconds": seconds})


# All trials went from 50 % to 60 %: their odds of being right grew by half. For a trial at 25 %, the odds of 1 : 3
# would become 1 : 2.
TEN = [finished(number, 0.5, 0.6, 2000.0, 10.0) for number in range(10)]
