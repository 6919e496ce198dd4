"""What a confirmation found: each finalist's means over its trainings, and which of the search's winners were luck."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from objectives import Axis
from reports.confirmation_statistics import CONFIDENCE, Estimate, estimate
from reports.front import StudyResults
from storage import TrialRecord


@dataclass(frozen=True)
class Confirmed:
    """A finalist: a trial of the search whose candidate was trained again.

    Attributes:
        searched: The trial.
        was_on_front: Of the search.
        trainings: Those that are complete, in the order of their seeds.
        n_failed: Trainings that failed; no others took their place.
        estimates: Each axis; accuracy on the test images, if there are any.
        validation: Accuracy on the validation images, as in the search.
        search_accuracy: What the search had seen.
        gap: That, less accuracy in `estimates`.
        front_probability: Share of the resamples in which it is within the limits and on the front.
        beaten_probability: Share of those in which one and the same other finalist beats it, or it breaks a limit.
        beaten_by: That other finalist's number; None if none beats it in any.
    """

    searched: TrialRecord
    was_on_front: bool
    trainings: Sequence[TrialRecord]
    n_failed: int
    estimates: Mapping[Axis, Estimate]
    validation: Estimate
    search_accuracy: float
    gap: Estimate
    front_probability: float
    beaten_probability: float
    beaten_by: int | None

    @property
    def number(self) -> int:
        return self.searched.number

    @property
    def is_luck(self) -> bool:
        """Whether it was on the search's front, and trained again is not in most resamples."""
        return self.was_on_front and self.front_probability < 0.5

    @property
    def is_risen(self) -> bool:
        """Whether it was not on the search's front, and trained again is in most resamples."""
        return not self.was_on_front and self.front_probability >= 0.5

    @property
    def is_above_interval(self) -> bool:
        """Whether the search saw more than the interval of the same score, on the same images, allows."""
        return self.search_accuracy > self.validation.high

    @property
    def is_on_cautious_front(self) -> bool:
        """Whether nothing speaks against it with 95 % confidence: no other finalist, and no limit."""
        return self.beaten_probability < CONFIDENCE

    @property
    def verdict(self) -> str:
        """``confirmed`` or ``luck`` for what was on the search's front, ``risen`` or ``near miss`` for the rest."""
        if self.was_on_front:
            return "luck" if self.is_luck else "confirmed"
        return "risen" if self.is_risen else "near miss"


@dataclass(frozen=True)
class Confirmation:
    """A confirmation at one moment.

    Attributes:
        search: The study that is confirmed.
        study: That of the trainings.
        finalists: Those with a complete training, the most accurate first.
        untrained: Numbers of the finalists without one, because they wait or failed.
        n_planned: Trainings in all.
        has_test: Whether there are test images; else accuracy is that of validation.
        is_shared: Whether two trainings, or one and a trial of the search, shared a machine.
    """

    search: StudyResults
    study: StudyResults
    finalists: Sequence[Confirmed]
    untrained: Sequence[int]
    n_planned: int
    n_failed: int
    has_test: bool
    is_shared: bool

    @property
    def load_average(self) -> float:
        """Processes that wanted each CPU core while a training ended, on average; NaN if that was not measured."""
        trainings = [training for finalist in self.finalists for training in finalist.trainings]
        loads = [t.measurements["load_average"] for t in trainings if "load_average" in t.measurements]
        return float(np.mean(loads)) if loads else math.nan

    @property
    def n_complete(self) -> int:
        return sum(len(finalist.trainings) for finalist in self.finalists)

    @property
    def is_finished(self) -> bool:
        return self.n_complete + self.n_failed >= self.n_planned

    @property
    def winners(self) -> list[Confirmed]:
        """Finalists that were on the search's front."""
        return [finalist for finalist in self.finalists if finalist.was_on_front]

    @property
    def gap(self) -> Estimate:
        """How much more the search saw of its winners than they reach trained again: over the winners."""
        return estimate([finalist.gap.mean for finalist in self.winners])

    @property
    def luck_gap(self) -> float:
        """The part of it that is there on the validation images too: the luck of being chosen."""
        gaps = [finalist.search_accuracy - finalist.validation.mean for finalist in self.winners]
        return float(np.mean(gaps)) if gaps else math.nan
