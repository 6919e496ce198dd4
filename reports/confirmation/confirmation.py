"""The findings of a confirmation: means of each finalist over its trainings, and which winners were luck."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tunefront.objectives.measures import Axis, Measure
from tunefront.reports.confirmation.scores import ImageScores
from tunefront.reports.confirmation.statistics import CONFIDENCE, ENOUGH_SEEDS, Estimate
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord


@dataclass(frozen=True)
class Confirmed:
    """A finalist: a trial of the search whose candidate was trained again.

    Attributes:
        searched: The trial of the search.
        measure: The measure of the first axis, whose score is called accuracy here.
        was_on_front: Whether no other finalist was better in the search. Trials that the search added since are no
            finalists.
        trainings: The complete trainings in the order of their seeds; empty if all failed.
        n_failed: The number of failed trainings, which were not replaced.
        estimates: The estimate on each axis; accuracy is that on the test images, if there are any.
        validation: Accuracy on the validation images, as in the search.
        search_accuracy: The accuracy in the search.
        gap: How much better `search_accuracy` is than the accuracy in `estimates`: the difference, which of errors is
            the new one less that of the search.
        front_probability: Share of the resamples in which it is within the limits and on the front. NaN with fewer than
            two trainings, which do not tell how much another training differs.
        beaten_probability: Share of the resamples in which one and the same other finalist beats it, or in which it
            breaks a limit; NaN where `front_probability` is.
        limit_probability: Share of the resamples in which it breaks a limit.
        beaten_by: Number of that other finalist; None if a limit is the more frequent reason, or there is none. A
            finalist with three trainings or more is compared only with others that have at least three.
        fewest_seeds: The smallest number of trainings of a compared finalist; 0 if this one is not compared.
    """

    searched: TrialRecord
    measure: Measure
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
        """Whether there is only one training, so that nothing can be said yet."""
        return len(self.trainings) == 1

    @property
    def is_luck(self) -> bool:
        """Whether it was on the search's front, and is not on the front in most resamples."""
        return self.was_on_front and self.front_probability < 0.5

    @property
    def is_risen(self) -> bool:
        """Whether it was not on the search's front, and is on the front in most resamples."""
        return not self.was_on_front and self.front_probability >= 0.5

    @property
    def is_above_interval(self) -> bool:
        """Whether the search's score is better than the 95 % prediction interval of the same score on the same images.

        Of an error that is below the interval.
        """
        loss = self.measure.loss
        return loss(self.search_accuracy) < loss(self.validation.mean) - self.validation.prediction_half_width

    @property
    def has_enough_seeds(self) -> bool:
        """Whether it has enough trainings for certain statements: two trainings may agree by chance."""
        return len(self.trainings) >= ENOUGH_SEEDS

    @property
    def is_on_front_for_sure(self) -> bool:
        """Whether it is on the front in 95 % of the resamples, and all compared finalists have enough seeds."""
        return self.fewest_seeds >= ENOUGH_SEEDS and self.front_probability >= CONFIDENCE

    @property
    def is_on_cautious_front(self) -> bool:
        """Whether it was trained, and is not beaten by a finalist or outside a limit with 95 % confidence."""
        if not self.has_enough_seeds:
            return bool(self.trainings)
        return not self.beaten_probability >= CONFIDENCE

    @property
    def why_left_out(self) -> str:
        """Why the cautious front lacks it: ``"trial 3"`` (``", or a limit"``), ``"breaks a limit"`` or ``"failed"``."""
        if not self.trainings:
            return "failed"
        if self.beaten_by is None:
            return "breaks a limit"
        return f"trial {self.beaten_by}" + (", or a limit" if self.limit_probability else "")

    @property
    def verdict(self) -> str:
        """The verdict: ``confirmed`` or ``luck`` for winners of the search, ``risen`` or ``near miss`` for others.

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
    """The state of a confirmation at one moment.

    Attributes:
        search: The study that is confirmed.
        study: The study of the trainings.
        finalists: Finalists with a complete training, the most accurate first; then those whose every training failed.
        untrained: Numbers of the finalists that wait for their first training.
        newcomers: Trials on the search's front now whose candidates are not trained again.
        same: Other trials on the search's front -> the finalist that has their parameters.
        n_planned: The number of all trainings.
        n_ended: Trainings that are complete, failed, or were ended by a person.
        gap: How much better the score of the winners was in the search than when trained again, over all winners.
        has_test: Whether there are test images; else accuracy is that on the validation images.
        is_paired: Whether finalists are compared image by image; else only by their trainings' scores.
        is_shared: Whether two trainings, or a training and a trial of the search, shared a machine.
        score: The scores on the images by which finalists are compared.
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
    score: ImageScores

    @property
    def load_average(self) -> float:
        """The mean number of processes that wanted each CPU core when a training ended; NaN if it was not measured."""
        trainings = [training for finalist in self.finalists for training in finalist.trainings]
        loads = [t.measurements["load_average"] for t in trainings if "load_average" in t.measurements]
        return float(np.mean(loads)) if loads else math.nan

    def finalist(self, number: int) -> Confirmed | None:
        """Return the finalist of that number that was trained; None if there is none."""
        return next((each for each in self.finalists if each.number == number and each.trainings), None)

    def kept_training(self, finalist: Confirmed) -> TrialRecord | None:
        """Return the training with the best validation score, of those whose models were kept; None if none was."""
        return self._best([training for training in finalist.trainings if training.model_path])

    def shown_training(self, finalist: Confirmed) -> TrialRecord | None:
        """Return the training whose errors stand for the finalist's: the one whose model is to be had, if one is."""
        return self.kept_training(finalist) or self._best(finalist.trainings)

    def _best(self, trainings: Sequence[TrialRecord]) -> TrialRecord | None:
        return min(trainings, key=lambda training: self.study.loss(training, "accuracy"), default=None)

    @property
    def n_complete(self) -> int:
        return sum(len(finalist.trainings) for finalist in self.finalists)

    @property
    def is_finished(self) -> bool:
        return self.n_ended >= self.n_planned

    @property
    def winners(self) -> list[Confirmed]:
        """The finalists that were on the search's front."""
        return [finalist for finalist in self.finalists if finalist.was_on_front]

    @property
    def compared(self) -> list[Confirmed]:
        """The finalists with at least two complete trainings; statements are made of these alone."""
        return [finalist for finalist in self.finalists if len(finalist.trainings) > 1]

    @property
    def luck_gap(self) -> float:
        """The part of the gap that shows on the validation images too: the luck of being chosen."""
        gaps = [
            finalist.measure.loss(finalist.validation.mean) - finalist.measure.loss(finalist.search_accuracy)
            for finalist in gap_winners(self.winners)
        ]
        return float(np.mean(gaps)) if gaps else math.nan


def gap_winners(winners: Sequence[Confirmed]) -> list[Confirmed]:
    """Return the winners that the gap is computed from: those trained at least twice, else those trained once."""
    compared = [finalist for finalist in winners if len(finalist.trainings) > 1]
    return compared or [finalist for finalist in winners if finalist.is_open]
