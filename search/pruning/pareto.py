"""The ``pareto`` rule, which decides when to stop a trial with one to three objectives.

Optuna's pruners look at one value. Stopping on accuracy alone destroys a front, because small and fast models learn
slowly. Here a trial is stopped only if even an optimistic end would be dominated by a finished trial, would break a
limit, or would be no better than guessing. Memory is known before training. Time and accuracy are predicted from what
the study's finished trials still needed and gained from the same epoch on. The optimistic accuracy is a bound that the
trial passes only with a small chance; the optimistic time is the lower decile. A limit on time counts as broken if
the trial would keep it only with that small chance. The chance is the smaller, the less is left to save.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.dominance import dominating
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import Axis, Direction, Measure
from tunefront.objectives.quantities import format_quantity, significant
from tunefront.objectives.skill import Floats, SkillScale, skill_scale
from tunefront.objectives.tolerance import as_good
from tunefront.search.pruning.accuracy_prediction import MIN_FINISHED, AccuracyPrediction, learning_level, predict_end
from tunefront.search.pruning.finished_trials import (
    TIMED,
    FinishedTrial,
    FinishedTrials,
    score_measure,
    training_score,
)
from tunefront.search.pruning.time_prediction import TimePrediction, project_seconds
from tunefront.search.pruning.verdict import GO_ON, Verdict
from tunefront.storage.curves import Epoch
from tunefront.storage.trials import PASSES


@dataclass(frozen=True)
class ParetoPruner:
    """A pruner that stops trials that would not come on the front.

    Attributes:
        epochs: The epochs of the whole training of the trials that it judges.
        front_loss: The share of the front that may be lost.
        may_end_early: Whether trainings may end by themselves, so that a shorter curve is a whole one.
        guessing: The score that reports mark as no better than guessing. Once a finished trial is better, a trial that
            will not be is stopped, however small or fast it is. Infinite for none.
        uses_tolerance: Whether a finished trial that is nowhere worse by more than the objectives' tolerance counts as
            one that dominates. Only finished trials stand for others, so tolerances do not add up.
    """

    objectives: Mapping[Axis, Objective]
    epochs: int
    front_loss: float
    may_end_early: bool = False
    guessing: float = -math.inf
    uses_tolerance: bool = False

    def judge(
        self,
        curve: Sequence[Epoch],
        measurements: Mapping[str, float],
        finished: Sequence[FinishedTrial] | FinishedTrials,
        n_ended: int | None = None,
    ) -> Verdict:
        """Judge a trial by its epochs so far, at least one, and what finished before.

        Args:
            n_ended: The number of the study's trials that were completed or stopped by now.
        """
        if not isinstance(finished, FinishedTrials):
            finished = FinishedTrials(self.epochs, self.objectives.values(), finished)
        best = self.optimistic_end(curve, measurements, finished, n_ended)
        when = f"epoch {len(curve)}: even at best"
        for axis, objective in self.objectives.items():
            value = best[list(self.objectives).index(axis)]
            if objective.measure.name in TIMED and objective.has_limit:
                accepted = self._accepted_chance(len(curve), finished, n_ended)
                value = self.predict_time(curve, finished, measurements).undercut_with(accepted)
            if math.isfinite(value) and objective.is_out_of_reach(value):
                violations = {objective.measure.name: objective.violation(value)}
                broken = objective.describe_violation(value)
                return Verdict(False, f"{when}, {broken}", violations, brief=f"even at best, {broken}")
        verdict = self._judge_dominance(when, best, finished)
        if verdict.goes_on and self._is_guessing(best, finished):
            reached, guessed = self._in_unit(best[self._accuracy]), self._in_unit(self.guessing)
            reason = f"{when}, {reached} is no better than guessing may reach ({guessed})"
            return Verdict(False, reason, brief="no better than guessing")
        return verdict

    def _is_guessing(self, best: tuple[float, ...], finished: FinishedTrials) -> bool:
        """Return whether a trial only guesses while a finished one does better; else the task may be that hard."""
        if "accuracy" not in self.objectives or self._scale.is_better(best[self._accuracy], self.guessing):
            return False
        return self.is_any_better_than_guessing(finished.rivals[:, self._accuracy])

    def is_any_better_than_guessing(self, scores: Floats) -> bool:
        """Return whether one of the scores, shape (n,), is better than guessing."""
        return any(self._scale.is_better(float(score), self.guessing) for score in scores)

    def _judge_dominance(self, when: str, best: tuple[float, ...], finished: FinishedTrials) -> Verdict:
        if not finished.rival_numbers:
            return GO_ON
        # Sums and products of floats are rounded, so values that are nearly equal count as tied.
        is_tied = np.isclose(finished.rivals, best, rtol=1e-9, atol=0)
        rivals = np.where(is_tied, best, finished.rivals)
        dominates = dominating(best, rivals, self.directions)
        if dominates.any():
            rival, number = self._most_accurate(dominates, finished)
            verb, brief, shortfall = "dominates it", f"trial {number} is better", self._shortfall(best, rival)
        elif self.uses_tolerance and (stands_for := as_good(best, rivals, self.objectives)).any():
            rival, number = self._most_accurate(stands_for, finished)
            verb, brief, shortfall = "is as good within the tolerance", f"trial {number} is as good", ""
        else:
            return GO_ON
        text = f"{when} ({self._show(best)}) trial {number} {verb} ({self._show(rival)}){shortfall}"
        return Verdict(False, text, brief=brief)

    def _most_accurate(self, are_rivals: NDArray[np.bool_], finished: FinishedTrials) -> tuple[tuple[float, ...], int]:
        """Return the values and the number of the most accurate of some rivals; of the first without an accuracy."""
        which = np.flatnonzero(are_rivals)
        if "accuracy" in self.objectives:
            losses = [self.measure.loss(score) for score in finished.rivals[which, self._accuracy]]
            which = which[np.argsort(losses, kind="stable")]
        return tuple(map(float, finished.rivals[which[0]])), finished.rival_numbers[which[0]]

    def optimistic_end(
        self,
        curve: Sequence[Epoch],
        measurements: Mapping[str, float],
        finished: FinishedTrials,
        n_ended: int | None = None,
    ) -> tuple[float, ...]:
        """Return the best end that can be expected, one value for each objective.

        A cost that is unknown yet, such as latency, is taken as minus infinity, so that it alone keeps the trial from
        being dominated. A score that cannot be predicted yet is taken as infinitely good.
        """
        values = []
        for axis, objective in self.objectives.items():
            if axis == "accuracy":
                end = self.predict_accuracy(curve, finished)
                chance = self._accepted_chance(len(curve), finished, n_ended)
                values.append(-self.measure.loss(math.inf) if end is None else end.exceeded_with(chance))
            elif objective.measure.name in TIMED:
                values.append(self.predict_time(curve, finished, measurements).lower_decile)
            else:
                value = measurements.get(objective.measure.name, math.nan)
                values.append(-math.inf if math.isnan(value) else value)
        return tuple(values)

    def predict_accuracy(self, curve: Sequence[Epoch], finished: FinishedTrials) -> AccuracyPrediction | None:
        """Predict the trial's final accuracy; None while too few finished trials have trained as long."""
        is_like = self._are_like(len(curve), finished)
        if is_like.sum() < MIN_FINISHED or "accuracy" not in self.objectives:
            return None
        last = len(curve) - 1
        measure, scale = self.measure, self._scale
        best = measure.best(point.accuracy for point in curve)
        best = scale.worst if math.isnan(best) else best
        in_training = measure.best(training_score(point, measure) for point in curve)
        level = learning_level(scale, np.array(best), np.array(in_training), np.array(float(len(curve))), self.epochs)
        ends = finished.values[is_like, self._accuracy]
        sign = measure.loss(1.0)
        never_lost = bool((sign * ends <= sign * finished.best_so_far[is_like, last]).all())
        assured = best if never_lost else scale.worst
        return predict_end(scale, float(level), finished.levels[is_like, last], ends, assured)

    def predict_time(
        self, curve: Sequence[Epoch], finished: FinishedTrials, measurements: Mapping[str, float] | None = None
    ) -> TimePrediction:
        """Predict the seconds of the whole training, for a time objective that is a sum over epochs.

        Args:
            measurements: What the trial has measured so far, such as a pass of its frozen layers, which counts once.
        """
        name = self.objectives["time"].measure.name
        seconds = [float(getattr(point, name)) for point in curve]
        is_like = self._are_like(len(curve), finished)
        by_epoch = finished.seconds_so_far(name)
        # Of a longer training, its seconds up to this one's last epoch count.
        wholes = finished.values[:, list(self.objectives).index("time")] - finished.passes(name)
        wholes = np.where(finished.n_planned > self.epochs, by_epoch[:, -1], wholes)[is_like]
        so_far = by_epoch[is_like, len(curve) - 1]
        n_to_come = 0 if self.may_end_early else self.epochs - len(seconds)
        return project_seconds(seconds, n_to_come, wholes, so_far, (measurements or {}).get(PASSES[name], 0.0))

    def _accepted_chance(self, epoch: int, finished: FinishedTrials, n_ended: int | None) -> float:
        """Return the chance of being on today's front up to which a trial is stopped after an epoch, at most 0.5.

        If each of n trials is stopped at a chance of `front_loss` times the share of trials that are on the front, n
        times that share times `front_loss` members are lost at most: `front_loss` of the front. A trial that waits for
        a later verdict keeps its chance on average, so judging it often adds nothing. And the front will thin out
        while more trials come, but for a stopped trial as for the others, so that today's share is the one to take.

        What a lost member buys are the epochs that are left. So the chance is proportional to them, and on average
        over the epochs it is the one above: twice that after none of them, nothing after the last one.
        """
        n = max(n_ended or 0, len(finished), 1)
        left = max(1 - epoch / self.epochs, 0.0)
        return min(2 * left * self.front_loss * max(len(finished.rival_numbers), 1) / n, 0.5)

    def _are_like(self, epoch: int, finished: FinishedTrials) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Return which finished trials to learn from: those of this length, or while they are few, longer ones too.

        A longer training gains more from the same epoch on, so that it promises too much rather than too little. Of a
        shorter one nobody knows how it would have gone on. One that a person completed may be too short.
        """
        has_trained = finished.n_epochs >= (epoch if self.may_end_early else self.epochs)
        is_own = has_trained & (finished.n_planned == self.epochs)
        return is_own if is_own.sum() >= MIN_FINISHED else has_trained & (finished.n_planned >= self.epochs)

    @property
    def directions(self) -> list[Direction]:
        """The directions of the objectives, in their order."""
        return [objective.measure.direction for objective in self.objectives.values()]

    @property
    def measure(self) -> Measure:
        """The measure of the learning curves."""
        return score_measure(self.objectives.values())

    @property
    def _scale(self) -> SkillScale:
        return skill_scale(self.measure)

    def _in_unit(self, score: float) -> str:
        return format_quantity(score, self.measure.unit)

    @property
    def _accuracy(self) -> int:
        return list(self.objectives).index("accuracy")

    def _show(self, values: Sequence[float]) -> str:
        return ", ".join(
            format_quantity(value, objective.measure.unit)
            for value, objective in zip(values, self.objectives.values(), strict=True)
            if math.isfinite(value)
        )

    def _shortfall(self, best: tuple[float, ...], rival: tuple[float, ...]) -> str:
        """Return a text on how much the trial's score would be behind; empty if it is no objective."""
        if "accuracy" not in self.objectives:
            return ""
        gap = self.measure.loss(best[self._accuracy]) - self.measure.loss(rival[self._accuracy])
        if self.measure.unit == "fraction":
            points = 100 * gap
            return f": {points:.2g} points short" if points >= 0.005 else ": no more accurate, and not cheaper"
        is_seen = self._in_unit(best[self._accuracy]) != self._in_unit(rival[self._accuracy])
        return f": its {self.measure.name} {significant(gap, 2)} worse" if is_seen else ": no better, and not cheaper"
