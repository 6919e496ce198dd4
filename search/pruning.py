"""When to stop a trial: the ``pareto`` rule for one to three objectives.

Optuna's pruners look at one value. Stopping on accuracy alone destroys a front, because small and
fast models learn slowly. Here a trial is stopped only if even an optimistic end would be dominated
by a finished trial, or would break a limit. Memory is known before training, time is projected from
the epochs measured, and accuracy's optimism is calibrated on this study's finished curves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from objectives import Axis, Objective, dominating, format_quantity
from storage import Epoch

_MIN_FINISHED = 10  # curves needed before optimism can be calibrated at all


@dataclass(frozen=True)
class FinishedTrial:
    """A complete trial as the pruner sees it.

    Attributes:
        best_so_far: Accuracy of the best epoch up to each epoch, shape (epochs,).
        values: One for each objective.
    """

    number: int
    best_so_far: NDArray[np.float64]
    values: tuple[float, ...]
    is_feasible: bool


@dataclass(frozen=True)
class Verdict:
    """Whether a trial goes on, and if not, why."""

    goes_on: bool
    reason: str = ""


GO_ON = Verdict(True)


def geometric_rungs(epochs: int, min_epochs: int, factor: float = 1.5) -> tuple[int, ...]:
    """Epochs at which trials are judged: `min_epochs`, then each `factor` times later, before the end."""
    rungs: list[int] = []
    rung = float(min_epochs)
    while round(rung) < epochs:
        if not rungs or round(rung) > rungs[-1]:
            rungs.append(round(rung))
        rung *= factor
    return tuple(rungs)


@dataclass(frozen=True)
class ParetoPruner:
    """Stops what would not come on the front.

    Attributes:
        epochs: Of a whole training.
        front_loss: Accepted chance that a stopped trial would have ended on the front.
        may_end_early: Whether trainings end by themselves: then no time to come is certain, and a
            finished curve goes on level.
    """

    objectives: Mapping[Axis, Objective]
    epochs: int
    front_loss: float
    may_end_early: bool = False

    def judge(
        self, curve: Sequence[Epoch], measurements: Mapping[str, float], finished: Sequence[FinishedTrial]
    ) -> Verdict:
        """Judge a trial by its epochs so far, at least one, and what finished before."""
        optimistic = self._optimistic_end(curve, measurements, finished)
        if optimistic is None:
            return GO_ON
        for objective, value in zip(self.objectives.values(), optimistic, strict=True):
            if math.isfinite(value) and objective.is_out_of_reach(value):
                return Verdict(False, f"epoch {len(curve)}: even at best, {objective.describe_violation(value)}")
        return self._judge_dominance(len(curve), optimistic, finished)

    def _judge_dominance(self, epoch: int, optimistic: tuple[float, ...], finished: Sequence[FinishedTrial]) -> Verdict:
        rivals = [trial for trial in finished if trial.is_feasible]
        if not rivals:
            return GO_ON
        directions = [objective.measure.direction for objective in self.objectives.values()]
        dominates = dominating(optimistic, np.array([rival.values for rival in rivals]), directions)
        if not dominates.any():
            return GO_ON
        rival = rivals[int(np.argmax(dominates))]
        return Verdict(
            False,
            f"epoch {epoch}: even at best ({self._show(optimistic)}) "
            f"trial {rival.number} dominates it ({self._show(rival.values)})",
        )

    def _optimistic_end(
        self, curve: Sequence[Epoch], measurements: Mapping[str, float], finished: Sequence[FinishedTrial]
    ) -> tuple[float, ...] | None:
        """The best end that can be expected, one value for each objective; None if that is unknown.

        A cost that nothing tells yet (latency, say) is taken as none at all, so that it alone keeps
        the trial from being dominated.
        """
        values = []
        for axis, objective in self.objectives.items():
            if axis == "accuracy":
                accuracy = self._optimistic_accuracy(curve, finished)
                if accuracy is None:
                    return None
                values.append(accuracy)
            elif objective.measure.name in ("train_seconds", "validation_seconds"):
                values.append(self._projected(curve, objective.measure.name))
            else:
                values.append(measurements.get(objective.measure.name, -math.inf))
        return tuple(values)

    def _optimistic_accuracy(self, curve: Sequence[Epoch], finished: Sequence[FinishedTrial]) -> float | None:
        """The best so far plus what similar finished trials still gained from this epoch on.

        The gain is the (1 - front_loss) quantile over the half of the finished trials whose accuracy
        was nearest at this epoch, rounded up as in conformal prediction: with few trials it is the
        largest gain seen.
        """
        whole = [ended for trial in finished if len(ended := self._whole(trial.best_so_far)) == self.epochs]
        if len(whole) < _MIN_FINISHED:
            return None
        epoch = len(curve)
        best = max(point.accuracy for point in curve)
        curves = np.array([best_so_far[[epoch - 1, -1]] for best_so_far in whole])
        n_similar = max(_MIN_FINISHED, len(whole) // 2)
        similar = np.argsort(np.abs(curves[:, 0] - best), kind="stable")[:n_similar]
        gains = np.sort(curves[similar, 1] - curves[similar, 0])
        rank = min(math.ceil((len(gains) + 1) * (1 - self.front_loss)), len(gains))
        return min(best + float(gains[rank - 1]), 1.0)

    def _whole(self, curve: NDArray[np.float64]) -> NDArray[np.float64]:
        """A finished curve over all epochs.

        Without early stopping a shorter one stays short, and is no curve to learn from: a person can
        tell a running trial complete in the dashboard.
        """
        missing = self.epochs - len(curve) if self.may_end_early else 0
        return np.pad(curve, (0, missing), mode="edge")

    def _projected(self, curve: Sequence[Epoch], name: str) -> float:
        """The whole training's seconds, if every epoch to come is as fast as the fastest so far."""
        seconds = [float(getattr(point, name)) for point in curve]
        n_to_come = 0 if self.may_end_early else self.epochs - len(seconds)
        return sum(seconds) + n_to_come * min(seconds)

    def _show(self, values: Sequence[float]) -> str:
        return ", ".join(
            format_quantity(value, objective.measure.unit)
            for value, objective in zip(values, self.objectives.values(), strict=True)
            if math.isfinite(value)
        )
