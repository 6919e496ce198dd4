"""Choosers of a replay's next candidate: a random order, or an Optuna sampler answered from the table.

A random order needs only recorded points, so it is exact. A sampler asks for points that nobody trained. It gets the
nearest recorded candidate that was not tried yet, and is told that this one ran. The table limits what it can learn,
so differences between samplers come out smaller than they are.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from tunefront.search.replay.distances import GowerDistances
from tunefront.search.replay.recorded_table import RecordedTable
from tunefront.search.replay.recording import RecordingError
from tunefront.search.sampling.samplers import make_sampler
from tunefront.search.sampling.seeds import trial_seed
from tunefront.search.spec.tables import TpeTable
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.space import Space

RANDOM = "random"
SAMPLERS = (RANDOM, "tpe", "nsga2")


class RandomOrder:
    """A chooser that gives every candidate once, in random order."""

    def __init__(self, table: RecordedTable, seed: int) -> None:
        self._order = iter(np.random.default_rng(seed).permutation(table.n_candidates).tolist())

    def next(self) -> int:
        """Return the next candidate."""
        return int(next(self._order))

    def end(self, candidate: int, is_complete: bool) -> None:
        """Learn nothing."""


class NearestRecorded:
    """A chooser that answers an Optuna sampler with the nearest recorded candidate.

    Attributes:
        name: ``"tpe"`` with the settings of `tunefront run`, or ``"nsga2"`` with Optuna's defaults.
    """

    def __init__(self, table: RecordedTable, space: Space | OwnSpace, name: str, seed: int) -> None:
        self.name = name
        self._table = table
        self._space = space
        self._seed = seed
        self._recorded = GowerDistances(table.parameters)
        self._is_free = np.ones(table.n_candidates, dtype=bool)
        self._running: dict[int, optuna.Trial] = {}
        self._study = optuna.create_study(directions=table.directions, sampler=self._sampler(0))

    def next(self) -> int:
        """Ask the sampler, and answer with the nearest recorded candidate.

        Raises:
            RecordingError: If the recorded candidate is not of the spec's space.
        """
        self._study.sampler = self._sampler(int((~self._is_free).sum()))
        asked = self._study.ask()
        self._space.suggest(asked)
        self._study.tell(asked, state=TrialState.FAIL)  # samplers ignore failed trials
        distances = self._recorded.to(asked.params, asked.distributions)
        candidate = int(np.argmin(np.where(self._is_free, distances, math.inf)))
        self._is_free[candidate] = False
        self._running[candidate] = self._run_instead(self._table.parameters[candidate])
        return candidate

    def _run_instead(self, parameters: Mapping[str, Any]) -> optuna.Trial:
        """Start a trial with these parameters, which the sampler sees from now on, and return it."""
        if self.name == "tpe":
            # The sampler would note what it samples now for the running trial, so another one samples. NSGA-II is kept,
            # because it has to note the generation.
            self._study.sampler = optuna.samplers.RandomSampler(seed=0)
        self._study.enqueue_trial(dict(parameters))
        trial = self._study.ask()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Optuna warns of a number outside its range, which did run
                self._space.suggest(trial)
        except ValueError as error:
            raise RecordingError(f"a recorded candidate is not of the spec's space: {error}") from None
        if trial.params != parameters:
            raise RecordingError(f"the recorded candidate {dict(parameters)} is not of the spec's space")
        return trial

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        if self.name == "tpe":
            return make_sampler(TpeTable(), self._seed, number)
        if number:
            return self._study.sampler  # one sampler for all trials, so that its random numbers go on
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return optuna.samplers.NSGAIISampler(seed=trial_seed(self._seed, 0))

    def end(self, candidate: int, is_complete: bool) -> None:
        """Tell the sampler the recorded values; a stopped trial is told as pruned, without values."""
        trial = self._running.pop(candidate)
        if is_complete:
            self._study.tell(trial, [float(value) for value in self._table.values[candidate]])
        else:
            self._study.tell(trial, state=TrialState.PRUNED)


def make_chooser(name: str, table: RecordedTable, space: Space | OwnSpace, seed: int) -> RandomOrder | NearestRecorded:
    """Make a chooser by the name of its sampler, one of :data:`SAMPLERS`."""
    return RandomOrder(table, seed) if name == RANDOM else NearestRecorded(table, space, name, seed)
