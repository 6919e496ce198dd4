"""What a confirmation found: each finalist's means over its trainings, and which of the search's winners were luck."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tunefront.objectives.measures import Axis
from tunefront.reports.confirmation.statistics import CONFIDENCE, ENOUGH_SEEDS, Estimate
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord


@dataclass(frozen=True)
class Confirmed:
    """A finalist: a trial of the search whose candidate was trained again.

    Attributes:
        searched: The trial.
        was_on_front: Whether the search had no better one among the finalists. What it found since is not among them.
        trainings: Those that are complete, in the order of their seeds; empty if all failed.
        n_failed: Trainings that failed; no others took their place.
        estimates: Each axis; accuracy on the test images, if there are any.
        validation: Accuracy on the validation images, as in the search.
        search_accuracy: What the search had seen.
        gap: That, less accuracy in `estimates`.
        front_probability: Share of the resamples in which it is within the limits and on the front. NaN with fewer than
            two trainings, which tell nothing of how much another one differs.
        beaten_probability: Share of those in which one and the same other finalist beats it, or it breaks a limit; NaN
            where the other is.
        limit_probability: Share of those in which it breaks a limit.
        beaten_by: That other finalist's number; None if a limit is the more frequent reason, or there is none. Of a
            finalist with three trainings or more, only such another one is looked at.
        fewest_seeds: Trainings of the compared finalist that has the fewest; 0 if it is not compared.
    """

    searched: TrialRecord
    was_on_front: bool
    trainings: Sequence[TrialRecord]
    n_failed: int
    estimates: Mapping[Axis, Estimate]
    validation: Estimate
    search_accuracy: float
    gap: Estimate
    front_probability: float = math.nan
    beaten_probability: float = math.nan
    limit_probability: float = math.nan
    beaten_by: int | None = None
    fewest_seeds: int = 0

    @property
    def number(self) -> int:
        return self.searched.number

    @property
    def is_open(self) -> bool:
        """Whether one training is all there is: nothing can be said yet."""
        return len(self.trainings) == 1

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
        """Whether the search saw more than the 95 % prediction interval of the same score, on the same images."""
        return self.search_accuracy > self.validation.highest_expected

    @property
    def has_enough_seeds(self) -> bool:
        """Whether something can be for sure of it: two trainings may agree by chance."""
        return len(self.trainings) >= ENOUGH_SEEDS

    @property
    def is_on_front_for_sure(self) -> bool:
        """Whether it is on the front in 95 % of the resamples, and all that it is compared with have enough seeds."""
        return self.fewest_seeds >= ENOUGH_SEEDS and self.front_probability >= CONFIDENCE

    @property
    def is_on_cautious_front(self) -> bool:
        """Whether it can be had, and neither another finalist nor a limit speaks against it with 95 % confidence."""
        if not self.has_enough_seeds:
            return bool(self.trainings)
        return not self.beaten_probability >= CONFIDENCE

    @property
    def why_left_out(self) -> str:
        """Of the cautious front: ``"trial 3"`` beats it, or it ``"breaks a limit"``, or both, or it ``"failed"``."""
        if not self.trainings:
            return "failed"
        if self.beaten_by is None:
            return "breaks a limit"
        return f"trial {self.beaten_by}" + (", or a limit" if self.limit_probability else "")

    @property
    def verdict(self) -> str:
        """``confirmed`` or ``luck`` for what was on the search's front, ``risen`` or ``near miss`` for the rest.

        ``failed`` if no training succeeded, ``open`` if only one did.
        """
        if not self.trainings:
            return "failed"
        if self.is_open:
            return "open"
        if self.was_on_front:
            return "luck" if self.is_luck else "confirmed"
        return "risen" if self.is_risen else "near miss"


@dataclass(frozen=True)
class Confirmation:
    """A confirmation at one moment.

    Attributes:
        search: The study that is confirmed.
        study: That of the trainings.
        finalists: Those with a complete training, the most accurate first; then those whose every training failed.
        untrained: Numbers of the finalists that wait for their first training.
        newcomers: Trials on the search's front now whose candidates no training is of.
        same: Other trials on the search's front -> the finalist that has their parameters.
        n_planned: Trainings in all.
        n_ended: Those that are complete, failed, or were ended by a person.
        gap: How much more the search saw of its winners than they reach trained again: over the winners.
        has_test: Whether there are test images; else accuracy is that of validation.
        is_paired: Whether finalists are compared image by image; else only by their trainings' scores.
        is_shared: Whether two trainings, or one and a trial of the search, shared a machine.
    """

    search: StudyResults
    study: StudyResults
    finalists: Sequence[Confirmed]
    untrained: Sequence[int]
    newcomers: Sequence[int]
    same: Mapping[int, int]
    n_planned: int
    n_ended: int
    n_failed: int
    gap: Estimate
    has_test: bool
    is_paired: bool
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
        return self.n_ended >= self.n_planned

    @property
    def winners(self) -> list[Confirmed]:
        """Finalists that were on the search's front."""
        return [finalist for finalist in self.finalists if finalist.was_on_front]

    @property
    def compared(self) -> list[Confirmed]:
        """Finalists with at least two complete trainings: of these alone something is said."""
        return [finalist for finalist in self.finalists if len(finalist.trainings) > 1]

    @property
    def luck_gap(self) -> float:
        """The part of it that is there on the validation images too: the luck of being chosen."""
        gaps = [finalist.search_accuracy - finalist.validation.mean for finalist in gap_winners(self.winners)]
        return float(np.mean(gaps)) if gaps else math.nan


def gap_winners(winners: Sequence[Confirmed]) -> list[Confirmed]:
    """Those that the gap is of: trained at least twice, or, where none was, trained once."""
    compared = [finalist for finalist in winners if len(finalist.trainings) > 1]
    return compared or [finalist for finalist in winners if finalist.is_open]
