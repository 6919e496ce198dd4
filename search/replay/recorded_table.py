"""The table of a recorded study, each candidate once, which a replay looks up instead of training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.dominance import hypervolume, on_front
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis, Direction, Measure
from tunefront.objectives.skill import skill_scale
from tunefront.search.data.chance import guessing_level
from tunefront.search.pruning.finished_trials import TIMED
from tunefront.search.replay.recording import RecordedTrial, Recording, RecordingError
from tunefront.storage.curves import Epoch

_ROUNDING = 1e-4  # curves may be written with fewer digits than measurements; of predicted numbers, relative


@dataclass(frozen=True)
class RecordedTable:
    """The recorded trainings of n candidates of `epochs` epochs each, with m objectives.

    Attributes:
        measure: The measure of the scores of epochs.
        best_so_far: Score of the best epoch up to each epoch, shape (n, epochs).
        end_seconds: The end of each epoch, counted from the trial's start, shape (n, epochs). Compiling comes first,
            and validation is part of an epoch.
        values: The values of the objectives, shape (n, m).
        is_front: Whether each candidate is on the front of them all, shape (n,).
        points: `values` with costs and errors as logarithms to base 10, and R2 as its skill, shape (n, m).
        reference: The worst point of all recorded trainings, shape (m,).
        known_early: The measurements of each candidate that a built model alone tells.
        guessing: Score that guessing may reach by luck; infinite if unknown.
    """

    curves: Sequence[Sequence[Epoch]]
    objectives: Mapping[Axis, Objective]
    epochs: int
    measure: Measure
    best_so_far: NDArray[np.float64]
    end_seconds: NDArray[np.float64]
    values: NDArray[np.float64]
    is_front: NDArray[np.bool_]
    points: NDArray[np.float64]
    reference: NDArray[np.float64]
    known_early: Sequence[Mapping[str, float]]
    guessing: float
    parameters: Sequence[Mapping[str, object]]

    @property
    def n_candidates(self) -> int:
        return len(self.curves)

    @property
    def directions(self) -> list[Direction]:
        return _directions(self.objectives)

    def hypervolume(self, candidates: Sequence[int] | NDArray[np.int64]) -> float:
        """Return the hypervolume of some candidates as a share of that of all; 1 if that of all is 0."""
        chosen = hypervolume(self.points[list(candidates)], tuple(self.reference), self.directions)
        return chosen / self._whole if self._whole > 0 else 1.0

    @cached_property
    def _whole(self) -> float:
        return hypervolume(self.points, tuple(self.reference), self.directions)

    def values_at(self, epoch: int) -> NDArray[np.float64]:
        """Return the known or projected values of each candidate after `epoch` epochs, shape (n, m).

        A score is that of the best epoch so far. A sum of seconds is projected at the speed of the fastest epoch so
        far. A cost that is unknown yet is NaN.
        """
        columns = []
        for axis, objective in self.objectives.items():
            name = objective.measure.name
            if axis == "accuracy":
                columns.append(self.best_so_far[:, epoch - 1])
            elif name in TIMED:
                seconds = np.array([[getattr(point, name) for point in curve[:epoch]] for curve in self.curves])
                columns.append(seconds.sum(axis=1) + (self.epochs - epoch) * seconds.min(axis=1))
            else:
                columns.append(np.array([known.get(name, np.nan) for known in self.known_early]))
        return np.column_stack(columns)


def make_table(recording: Recording, seed: int = 0) -> RecordedTable:
    """Make the table of one training of each candidate: that with `seed`, or its first one.

    Raises:
        RecordingError: If a curve is not whole, a measurement is missing, or there is nothing to choose from.
    """
    trials = recording.one_seed_each(seed)
    objectives = recording.spec.parsed_objectives()
    epochs = recording.spec.training.most_epochs
    _check(trials, objectives, epochs)
    values = _values(trials, objectives)
    measure = MEASURES[recording.spec.accuracy_measure]
    scaled = _Scale.of(_values(recording.trials, objectives), [objective.measure for objective in objectives.values()])
    return RecordedTable(
        curves=[trial.curve for trial in trials],
        objectives=objectives,
        epochs=epochs,
        measure=measure,
        best_so_far=np.array([_best_so_far(trial, measure) for trial in trials]),
        end_seconds=np.array([_end_seconds(trial) for trial in trials]),
        values=values,
        is_front=on_front(values, _directions(objectives)),
        points=scaled.points(values),
        reference=scaled.reference,
        known_early=[_known_early(trial) for trial in trials],
        guessing=guessing_level(recording.dataset, recording.spec.accuracy_measure),
        parameters=[trial.parameters for trial in trials],
    )


@dataclass(frozen=True)
class _Scale:
    """Costs and errors as logarithms, and the worst point.

    R2 has no least value. As a skill, one candidate that is far off does not make all others look alike.
    """

    measures: Sequence[Measure]
    is_logarithm: NDArray[np.bool_]
    reference: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float64], measures: Sequence[Measure]) -> _Scale:
        is_minimized = np.array([measure.direction == "minimize" for measure in measures])
        unscaled = cls(measures, is_minimized & (values > 0).all(axis=0), np.zeros(len(measures)))
        points = unscaled.points(values)
        reference = np.where(is_minimized, points.max(axis=0), points.min(axis=0))
        return cls(measures, unscaled.is_logarithm, reference)

    def points(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        points = values.copy()
        points[:, self.is_logarithm] = np.log10(points[:, self.is_logarithm])
        for column, measure in enumerate(self.measures):
            if measure.unit == "number" and measure.direction == "maximize":
                points[:, column] = skill_scale(measure).skills(points[:, column])
        return points


def _directions(objectives: Mapping[Axis, Objective]) -> list[Direction]:
    return [objective.measure.direction for objective in objectives.values()]


def _check(trials: Sequence[RecordedTrial], objectives: Mapping[Axis, Objective], epochs: int) -> None:
    if len(trials) < 2:
        raise RecordingError(f"the table has {len(trials)} candidates: a replay needs at least 2, better 100")
    for trial in trials:
        if len(trial.curve) != epochs:
            raise RecordingError(
                f"candidate {trial.candidate} has {len(trial.curve)} epochs and the spec {epochs}: record it to the end"
            )
        if not all(math.isfinite(each.accuracy) for each in trial.curve):
            raise RecordingError(
                f"candidate {trial.candidate} has an epoch whose accuracy is no number: record it again"
            )
        for objective in objectives.values():
            if objective.measure.name not in trial.measurements:
                raise RecordingError(
                    f"candidate {trial.candidate} has no {objective.measure.name}, which is an objective: "
                    "record with another measure"
                )


def _values(trials: Sequence[RecordedTrial], objectives: Mapping[Axis, Objective]) -> NDArray[np.float64]:
    return np.array([[_value(trial, objective) for objective in objectives.values()] for trial in trials])


def _value(trial: RecordedTrial, objective: Objective) -> float:
    measured = trial.measurements[objective.measure.name]
    if objective.measure.axis != "accuracy":
        return measured
    # If the measured score differs from its curve only by rounding, the curve's value counts. Otherwise a tie
    # between two trials would be lost.
    best = _best_so_far(trial, objective.measure)[-1]
    rounding = _ROUNDING * (abs(measured) if objective.measure.unit == "number" else 1.0)
    return float(best) if abs(best - measured) < rounding else measured


def _best_so_far(trial: RecordedTrial, measure: Measure) -> NDArray[np.float64]:
    return measure.best_so_far([epoch.accuracy for epoch in trial.curve])


def _end_seconds(trial: RecordedTrial) -> NDArray[np.float64]:
    seconds = [epoch.train_seconds + epoch.validation_seconds for epoch in trial.curve]
    ends: NDArray[np.float64] = trial.measurements.get("compile_seconds", 0.0) + np.cumsum(seconds)
    return ends


def _known_early(trial: RecordedTrial) -> dict[str, float]:
    known = {name for name, measure in MEASURES.items() if measure.is_known_before_training}
    return {name: value for name, value in trial.measurements.items() if name in known}
