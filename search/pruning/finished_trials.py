"""The finished trials of a study as a pruner sees them: one growing table, and the rivals on its front."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.dominance import on_front
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import DEFAULT_MEASURES, MEASURES, Measure
from tunefront.objectives.skill import Floats, skill_scale
from tunefront.search.pruning.accuracy_prediction import learning_level
from tunefront.search.pruning.time_prediction import settled_so_far
from tunefront.storage.curves import Epoch
from tunefront.storage.trials import PASSES

TIMED = ("train_seconds", "validation_seconds")


@dataclass(frozen=True)
class FinishedTrial:
    """A complete trial as a pruner sees it.

    Attributes:
        best_so_far: Score of the best epoch up to each epoch, shape (epochs,).
        values: The values of the objectives.
        seconds_so_far: Training time and validation time up to each epoch, each of shape (epochs,), from
            :func:`tunefront.search.pruning.time_prediction.settled_so_far`. Without them, nothing is learnt
            from this trial about time.
        best_in_training: The same as `best_so_far` for the training images; NaN where unknown.
        n_planned: The epochs that its training was to have; 0 if those are the same for all trials.
        passes: Training time and validation time that it spent once, beside its epochs; 0 if they are left out.
    """

    number: int
    best_so_far: Floats
    values: tuple[float, ...]
    is_feasible: bool
    seconds_so_far: dict[str, Floats] = field(default_factory=dict)
    best_in_training: Floats = field(default_factory=lambda: np.array(math.nan))
    n_planned: int = 0
    passes: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_epochs(
        cls,
        number: int,
        epochs: Sequence[Epoch],
        values: Sequence[float],
        is_feasible: bool,
        measure: Measure,
        n_planned: int = 0,
        measurements: Mapping[str, float] | None = None,
    ) -> FinishedTrial:
        """Make a complete trial from its curve, whose scores are those of `measure`.

        Args:
            measurements: What it measured, passes of frozen layers among them; None for nothing.
        """
        return cls(
            number,
            measure.best_so_far([epoch.accuracy for epoch in epochs]),
            tuple(values),
            is_feasible,
            {name: settled_so_far([getattr(epoch, name) for epoch in epochs]) for name in TIMED},
            measure.best_so_far([training_score(epoch, measure) for epoch in epochs]),
            n_planned,
            {name: (measurements or {}).get(passed, 0.0) for name, passed in PASSES.items()},
        )


def training_score(epoch: Epoch, measure: Measure) -> float:
    """Return the training score that Keras reported, with dropout and augmentation; NaN if it reported none."""
    return epoch.metrics.get(training_metric(measure), math.nan)


def training_metric(measure: Measure) -> str:
    """Return the name of the training score: with classes the accuracy, whatever the measure, else the measure."""
    return "accuracy" if measure.task == "classification" else measure.name


def score_measure(objectives: Iterable[Objective]) -> Measure:
    """Return the measure of learning curves: that of the first axis. If it is no objective, no curve is looked at."""
    measures = (objective.measure for objective in objectives)
    found = (measure for measure in measures if measure.axis == "accuracy")
    return next(found, MEASURES[DEFAULT_MEASURES["accuracy"]])


class FinishedTrials:
    """The complete trials in the order in which they were added, as arrays of n rows.

    Adding a trial costs the same however many there are. A trial with NaN in its curve or values is left out.

    Args:
        epochs: The epochs of a whole training. Shorter curves are padded with their end, longer ones are cut.
    """

    def __init__(self, epochs: int, objectives: Iterable[Objective], trials: Iterable[FinishedTrial] = ()) -> None:
        objectives = list(objectives)
        self._epochs = epochs
        self._directions = [objective.measure.direction for objective in objectives]
        self._scale = skill_scale(score_measure(objectives))
        self._n = 0
        self._best_so_far = np.empty((16, epochs))
        self._levels = np.empty((16, epochs))
        self._n_epochs = np.empty(16, dtype=np.int64)
        self._n_planned = np.empty(16, dtype=np.int64)
        self._values = np.empty((16, len(self._directions)))
        self._seconds: dict[str, Floats] = {}
        self._passes = {name: np.empty(16) for name in TIMED}
        self.rival_numbers: list[int] = []
        self.rivals: Floats = np.empty((0, len(self._directions)))
        for trial in trials:
            self.add(trial)

    def __len__(self) -> int:
        return self._n

    @property
    def best_so_far(self) -> Floats:
        """The best scores so far, shape (n, epochs)."""
        return self._best_so_far[: self._n]

    @property
    def levels(self) -> Floats:
        """The level of each curve after each epoch, in skill, shape (n, epochs)."""
        return self._levels[: self._n]

    @property
    def n_epochs(self) -> NDArray[np.int64]:
        """The number of epochs that each one trained, shape (n,)."""
        return self._n_epochs[: self._n]

    @property
    def n_planned(self) -> NDArray[np.int64]:
        """The number of epochs that the training of each was to have, shape (n,)."""
        return self._n_planned[: self._n]

    @property
    def values(self) -> Floats:
        """The values of the objectives, shape (n, objectives)."""
        return self._values[: self._n]

    def seconds_so_far(self, name: str) -> Floats:
        """Return ``train_seconds`` or ``validation_seconds`` up to each epoch, shape (n, epochs); NaN where unknown."""
        return self._seconds[name][: self._n] if name in self._seconds else np.full((self._n, self._epochs), np.nan)

    def passes(self, name: str) -> Floats:
        """Return the part of ``train_seconds`` or ``validation_seconds`` that was spent once, shape (n,)."""
        return self._passes[name][: self._n]

    def add(self, trial: FinishedTrial) -> None:
        """Append a row; a feasible trial may replace rivals."""
        if not len(trial.best_so_far) or np.isnan(trial.best_so_far).any() or np.isnan(trial.values).any():
            return
        if self._n == len(self._best_so_far):
            self._grow()
        self._best_so_far[self._n] = _fitted(trial.best_so_far, self._epochs)
        epoch = np.arange(1.0, len(trial.best_so_far) + 1)
        levels = learning_level(self._scale, trial.best_so_far, trial.best_in_training, epoch, self._epochs)
        self._levels[self._n] = _fitted(levels, self._epochs)
        self._n_epochs[self._n] = min(len(trial.best_so_far), self._epochs)
        self._n_planned[self._n] = trial.n_planned or self._epochs
        self._values[self._n] = trial.values
        for name in TIMED:
            self._passes[name][self._n] = trial.passes.get(name, 0.0)
        for name, seconds in trial.seconds_so_far.items():
            column = self._seconds.setdefault(name, np.full((len(self._best_so_far), self._epochs), np.nan))
            column[self._n] = _fitted(seconds, self._epochs)
        self._n += 1
        if trial.is_feasible:
            self._challenge(trial)

    def _challenge(self, trial: FinishedTrial) -> None:
        """Add a trial to the rivals unless one dominates it, and drop the rivals that it dominates."""
        numbers = [*self.rival_numbers, trial.number]
        points = np.vstack([self.rivals, trial.values])
        is_on = on_front(points, self._directions)
        self.rival_numbers = [number for number, is_kept in zip(numbers, is_on, strict=True) if is_kept]
        self.rivals = points[is_on]

    def _grow(self) -> None:
        self._best_so_far = np.concatenate([self._best_so_far, np.empty_like(self._best_so_far)])
        self._levels = np.concatenate([self._levels, np.empty_like(self._levels)])
        self._n_epochs = np.concatenate([self._n_epochs, np.empty_like(self._n_epochs)])
        self._n_planned = np.concatenate([self._n_planned, np.empty_like(self._n_planned)])
        self._values = np.concatenate([self._values, np.empty_like(self._values)])
        self._passes = {name: np.concatenate([old, np.empty_like(old)]) for name, old in self._passes.items()}
        self._seconds = {name: np.concatenate([old, np.full_like(old, np.nan)]) for name, old in self._seconds.items()}


class FinishedByEpochs:
    """The complete trials of a study whose trainings differ in length, as trials of each length see them."""

    def __init__(self, objectives: Iterable[Objective], trials: Iterable[FinishedTrial] = ()) -> None:
        self._objectives = list(objectives)
        self._trials = list(trials)
        self._tables: dict[int, FinishedTrials] = {}

    def of(self, epochs: int) -> FinishedTrials:
        """Return all of them for trials of so many epochs, as the same object each time."""
        if epochs not in self._tables:
            self._tables[epochs] = FinishedTrials(epochs, self._objectives, self._trials)
        return self._tables[epochs]

    def add(self, trial: FinishedTrial) -> None:
        """Append a trial for trials of all lengths."""
        self._trials.append(trial)
        for table in self._tables.values():
            table.add(trial)


def _fitted(curve: Floats, epochs: int) -> Floats:
    return np.pad(curve[:epochs], (0, max(epochs - len(curve), 0)), mode="edge")
