"""The cost of stopping early: an estimate, for the report, of how much of a study's front was stopped.

Nobody sees how a stopped trial would have ended. Its last epoch and the trials that have finished by now give the
chance that it would be on the front. The sum of these chances is the expected number of lost front members. The
chances rest on trials that were allowed to finish: if all trials that improve late were stopped, the estimate is too
low.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.measures import Measure
from tunefront.objectives.tolerance import loosened, tightened
from tunefront.search.pruning.finished_trials import TIMED, FinishedByEpochs, FinishedTrial, FinishedTrials
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.spaces.candidate import EPOCHS_PARAMETER
from tunefront.storage.trials import TrialRecord

_SIDES = 1.645  # standard deviations to either side that hold 90 %


@dataclass(frozen=True)
class FrontLoss:
    """The part of the front that was stopped.

    Attributes:
        lost: Front members expected to be among the stopped trials.
        at_risk: `lost`, and the front members that were found.
        low: With `high`, the 90 % interval of `lost`. It covers the chance of each stopped trial to be a front
            member, not the error of the predictions.
    """

    lost: float
    at_risk: float
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share of the front that was lost; compare it with ``front_loss``."""
        return self.lost / self.at_risk if self.at_risk else 0.0


def estimate_front_loss(pruner: ParetoPruner, records: Sequence[TrialRecord]) -> FrontLoss | None:
    """Estimate the loss of a study from what the store has; None while too few trials have finished to tell.

    Args:
        pruner: The study's pruner; its epochs are those of trials that have no number of their own.
    """
    complete = [finished_trial(record, pruner.measure, pruner.epochs) for record in _complete(records)]
    by_epochs = FinishedByEpochs(pruner.objectives.values(), complete)
    chances = []
    for record in records:
        if record.state == "pruned" and record.epochs:
            epochs = _epochs_of(record, pruner.epochs)
            chance = chance_of_front(replace(pruner, epochs=epochs), record, by_epochs.of(epochs))
            if chance is None:
                return None
            chances.append(chance)
    lost, spread = sum(chances), math.sqrt(sum(chance * (1 - chance) for chance in chances))
    low, high = max(lost - _SIDES * spread, 0.0), min(lost + _SIDES * spread, float(len(chances)))
    return FrontLoss(lost, len(by_epochs.of(pruner.epochs).rival_numbers) + lost, low, high)


def chance_of_front(pruner: ParetoPruner, record: TrialRecord, finished: FinishedTrials) -> float | None:
    """Return the chance that a stopped trial would be on the front of the finished ones; None without a prediction.

    If the pruner uses the objectives' tolerance, a trial that a finished one stands for within it is not on the front.
    """
    best = np.array(pruner.optimistic_end(record.epochs, record.measurements, finished))
    axes, objectives = list(pruner.objectives), list(pruner.objectives.values())
    costs = [index for index, axis in enumerate(axes) if axis != "accuracy"]
    within = _chance_within_limits(pruner, record, finished, best)
    most = best[costs]
    if pruner.uses_tolerance:
        most = np.array([loosened(float(best[index]), objectives[index]) for index in costs])
    is_cheaper = (finished.rivals[:, costs] <= most).all(axis=1)
    if "accuracy" not in axes:
        is_better = pruner.uses_tolerance or (finished.rivals[:, costs] < most).any(axis=1)
        return within * (not (is_cheaper & is_better).any())
    end = pruner.predict_accuracy(record.epochs, finished)
    if end is None:
        return None
    scores = finished.rivals[:, axes.index("accuracy")]
    limit = pruner.objectives["accuracy"].best_limit
    to_beat = [float(score) for score in scores[is_cheaper]]
    if pruner.uses_tolerance:
        to_beat = [tightened(score, pruner.objectives["accuracy"]) for score in to_beat]
    to_beat += [] if limit is None else [limit]
    if pruner.is_any_better_than_guessing(scores):
        to_beat.append(pruner.guessing)
    return within * (end.chance_above(pruner.measure.best(to_beat)) if to_beat else 1.0)


def _chance_within_limits(
    pruner: ParetoPruner, record: TrialRecord, finished: FinishedTrials, best: NDArray[np.float64]
) -> float:
    """Return the chance that a stopped trial would keep the limits of its costs."""
    chance = 1.0
    for (axis, objective), value in zip(pruner.objectives.items(), best, strict=True):
        if objective.measure.name in TIMED and objective.at_most is not None:
            chance *= pruner.predict_time(record.epochs, finished, record.measurements).chance_within(objective.at_most)
        elif axis != "accuracy" and objective.is_out_of_reach(float(value)):
            return 0.0
    return chance


def finished_trial(record: TrialRecord, measure: Measure, epochs: int) -> FinishedTrial:
    """Convert a complete trial of the store, whose curve has the scores of `measure`, to the pruner's form.

    Args:
        epochs: The epochs of trials that have no number of their own.
    """
    assert record.values is not None
    n_planned = _epochs_of(record, epochs)
    return FinishedTrial.from_epochs(
        record.number, record.epochs, record.values, record.is_feasible, measure, n_planned, record.measurements
    )


def _epochs_of(record: TrialRecord, epochs: int) -> int:
    return int(record.parameters.get(EPOCHS_PARAMETER, epochs))


def _complete(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [record for record in records if record.values is not None and record.epochs]
