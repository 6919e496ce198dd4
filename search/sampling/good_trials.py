"""The good trials of a study by the rule of Optuna's TPE, without ranking all trials anew for each candidate.

With several objectives, Optuna peels front after front off all complete trials until a tenth of them is reached. The
number of the front that a trial is on is that of trials in the longest chain of ever better ones above it. So a new
trial moves others only back, one front at a time, and all others stay where they are.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Callable, Sequence

import numpy as np
import optuna
from optuna.samplers._tpe.sampler import (
    _get_infeasible_trial_score,
    _get_reference_point,
    _solve_hssp_with_cache,
    _split_complete_trials,
    _split_trials,
    default_gamma,
    default_gamma_multiobjective,
)
from optuna.study import StudyDirection
from optuna.study._multi_objective import _fast_non_domination_rank
from optuna.trial import FrozenTrial, TrialState

_MANY = 50  # new trials from which on ranking all of them is faster than one after the other


class GoodTrials:
    """The ended trials of a study, of which the good ones are found again and again."""

    def __init__(self) -> None:
        self._ended: list[FrozenTrial] = []  # in the order of their numbers
        self._new: list[FrozenTrial] = []  # complete, within all limits, and not among the next ones yet
        self._complete: list[FrozenTrial] = []  # in the order of their numbers
        self._losses = np.empty((0, 0))
        self._fronts = np.empty(0, int)  # the number of the front of each, counted from 0

    def add(self, trial: FrozenTrial) -> None:
        """Add a trial that was completed or stopped."""
        insort(self._ended, trial, key=_number)
        if trial.state == TrialState.COMPLETE and _get_infeasible_trial_score(trial) <= 0:
            self._new.append(trial)

    def numbers(self, study: optuna.Study) -> list[int]:
        """Return the numbers of the good trials."""
        is_single = len(study.directions) == 1
        gamma: Callable[[int], int] = default_gamma if is_single else default_gamma_multiobjective
        n_good = gamma(len(self._ended))
        self._take_in(study.directions)
        if n_good > len(self._complete):
            good, _ = _split_trials(study, self._ended, n_good)
        elif is_single:
            good, _ = _split_complete_trials(self._complete, study, n_good)
        else:
            good = [self._complete[place] for place in self._first(n_good)]
        return [trial.number for trial in good]

    def _first(self, n_good: int) -> list[int]:
        """Return the places of the trials on the first fronts, and of the best spread ones on the next, as Optuna."""
        n_until = np.cumsum(np.bincount(self._fronts)) if n_good else np.empty(0, int)
        n_whole = int(np.searchsorted(n_until, n_good, side="right"))
        whole = np.flatnonzero(self._fronts < n_whole) if n_good else np.empty(0, int)
        if len(whole) == n_good:
            return whole.tolist()
        places = np.flatnonzero(self._fronts == n_whole)
        losses = self._losses[places]
        reference = tuple(_get_reference_point(losses))
        more = _solve_hssp_with_cache(tuple(losses.ravel()), tuple(places), n_good - len(whole), reference)
        return [*whole.tolist(), *more.tolist()]

    def _take_in(self, directions: Sequence[StudyDirection]) -> None:
        signs = [-1.0 if direction == StudyDirection.MAXIMIZE else 1.0 for direction in directions]
        new, self._new = self._new, []
        if len(directions) == 1 or len(new) > _MANY:
            self._complete = sorted([*self._complete, *new], key=_number)
            if len(directions) > 1:
                self._losses = np.array([trial.values for trial in self._complete]) * signs
                self._fronts = _fast_non_domination_rank(self._losses)
            return
        for trial in new:
            place = bisect(self._complete, trial.number, key=_number)
            losses = np.array(trial.values) * signs
            self._complete.insert(place, trial)
            self._losses = np.insert(self._losses.reshape(-1, len(signs)), place, losses, axis=0)
            self._fronts = np.insert(self._fronts, place, 0)
            self._rank(place)

    def _rank(self, place: int) -> None:
        """Find the front of a new trial, and move those back that it and those that it moves have beaten."""
        losses = self._losses[place]
        # A trial beats another if it is nowhere worse and somewhere better.
        beats = (self._losses <= losses).all(axis=1) & (self._losses < losses).any(axis=1)
        front = int(self._fronts[beats].max(initial=-1)) + 1
        self._fronts[place], moved = front, np.array([place])
        while len(moved):
            others = np.flatnonzero(self._fronts == front)
            theirs, ours = self._losses[others][:, None], self._losses[moved][None]
            is_beaten = ((ours <= theirs).all(axis=2) & (ours < theirs).any(axis=2)).any(axis=1)
            moved = others[is_beaten]
            front += 1
            self._fronts[moved] = front


def _number(trial: FrozenTrial) -> int:
    return trial.number
