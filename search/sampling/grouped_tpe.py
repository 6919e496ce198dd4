"""Optuna's TPE over groups of parameters, without doing for each group again what is the same for all of them.

Optuna asks the storage for all trials, divides them into good and bad ones, and looks through the parameters of each,
once for every group: ten times a candidate, and nearly all of its time where there are thousands of trials. Here
that is done once. The estimators are Optuna's, so a candidate is the same to the last bit.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.search_space import _GroupDecomposedSearchSpace
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from tunefront.search.sampling.good_trials import GoodTrials
from tunefront.search.system.optuna_log import quiet_optuna

_KNOWN_VERSIONS = {"5.0.0"}  # of Optuna: those whose candidates were compared with these, see the tests
_SHARED = "tpe:relative_params"  # where Optuna's TPE tells other workers of a candidate before its trial has it
_SHARED_LENGTH = 2045  # of each part of it


def is_known() -> bool:
    """Return whether the installed Optuna is one that was compared with what is here."""
    return version("optuna") in _KNOWN_VERSIONS


_Kind = frozenset[str]  # the names of a trial's parameters
_Groups = list[dict[str, BaseDistribution]]
Observed = dict[str, NDArray[Any]]  # parameter -> Optuna's internal values


class SeenTrials:
    """The ended trials that samplers have seen, as they need them: each is prepared once for all candidates."""

    def __init__(self) -> None:
        self._judged: set[int] = set()
        self._good = GoodTrials()
        self._is_good = np.zeros(0, bool)  # by number
        self._first: dict[_Kind, FrozenTrial] = {}
        self._by_kind: dict[_Kind, KindColumns] = {}
        self._groups: tuple[list[int], _Groups] = ([], [])

    def __len__(self) -> int:
        return len(self._judged)

    def prepare(self, trials: Iterable[FrozenTrial]) -> None:
        """Prepare the trials that have ended and were not seen before."""
        for trial in trials:
            if trial.number not in self._judged and trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
                kind = frozenset(trial.distributions)
                self._judged.add(trial.number)
                self._good.add(_Judged(trial))
                self._by_kind.setdefault(kind, KindColumns()).add(trial)
                if kind not in self._first or trial.number < self._first[kind].number:
                    self._first[kind] = trial

    def divide(self, study: optuna.Study) -> None:
        """Find the good trials, by Optuna's own rule."""
        self._is_good = np.zeros(max(self._judged, default=-1) + 1, bool)
        self._is_good[self._good.numbers(study)] = True

    def groups(self, find: Callable[[list[FrozenTrial]], _Groups]) -> _Groups:
        """Return the parameters that belong together, which `find` finds by the first trial of each kind.

        These tell it as well as all trials do, in the order of their numbers.
        """
        first = sorted(self._first.values(), key=lambda trial: trial.number)
        numbers = [trial.number for trial in first]
        if self._groups[0] != numbers:
            self._groups = (numbers, find(first))
        return self._groups[1]

    def observed(
        self, space: Mapping[str, BaseDistribution], running: Sequence[tuple[int, Mapping[str, Any]]]
    ) -> tuple[Observed, Observed]:
        """Return the values of these parameters in good trials and in others, as Optuna's estimators want them.

        Args:
            running: Number and parameters of trials that run, which count as others.
        """
        found = [trials for kind, trials in self._by_kind.items() if space.keys() <= kind]
        more = [(number, parameters) for number, parameters in running if space.keys() <= parameters.keys()]
        numbers = np.concatenate([trials.numbers() for trials in found] + [np.array([each[0] for each in more], int)])
        is_good = np.zeros(len(numbers), bool)
        n_ended = len(numbers) - len(more)
        is_good[:n_ended] = self._is_good[numbers[:n_ended]]
        order = np.argsort(numbers)
        good, others = order[is_good[order]], order[~is_good[order]]
        values = {
            name: np.concatenate(
                [trials.values(name) for trials in found]
                + [np.array([kind.to_internal_repr(parameters[name]) for _, parameters in more], _dtype(kind))]
            )
            for name, kind in space.items()
        }
        return {name: value[good] for name, value in values.items()}, {n: value[others] for n, value in values.items()}


class KindColumns:
    """Ended trials that have the same parameters: their numbers, and Optuna's internal value of each parameter."""

    def __init__(self) -> None:
        self._new: list[FrozenTrial] = []
        self._columns: dict[str, NDArray[Any]] = {}
        self._numbers = np.zeros(0, int)

    def add(self, trial: FrozenTrial) -> None:
        """Add a trial."""
        self._new.append(trial)

    def numbers(self) -> NDArray[np.int_]:
        """Return the numbers of the trials, in the order in which they were added."""
        self._take_in()
        return self._numbers

    def values(self, name: str) -> NDArray[Any]:
        """Return the values of a parameter, in the order of the numbers."""
        self._take_in()
        return self._columns[name]

    def _take_in(self) -> None:
        if not self._new:
            return
        self._numbers = np.append(self._numbers, [trial.number for trial in self._new])
        for name, kind in self._new[0].distributions.items():
            new: NDArray[Any] = np.array(
                [kind.to_internal_repr(trial.params[name]) for trial in self._new], _dtype(kind)
            )
            self._columns[name] = np.append(self._columns.get(name, np.zeros(0, new.dtype)), new)
        self._new = []


def _dtype(kind: BaseDistribution) -> type:
    return int if isinstance(kind, CategoricalDistribution) else float


class _Judged(FrozenTrial):
    """An ended trial with its constraints at hand, which Optuna reads anew from all attributes each time."""

    def __init__(self, trial: FrozenTrial) -> None:
        super().__init__(
            number=trial.number,
            state=trial.state,
            value=None,
            values=trial.values,
            datetime_start=trial.datetime_start,
            datetime_complete=trial.datetime_complete,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs={},
            system_attrs={},
            intermediate_values=trial.intermediate_values,
            trial_id=trial._trial_id,
        )
        self._constraints = dict(trial.constraints)

    @property
    def constraints(self) -> dict[str, float]:
        return self._constraints


class _Shown(InMemoryStorage):
    """A storage with the trials that are looked through for groups, and no others."""

    def __init__(self) -> None:
        super().__init__()
        self.trials: list[FrozenTrial] = []

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        return [trial for trial in self.trials if states is None or trial.state in states]


class GroupedTpeSampler(BaseSampler):
    """The sampler of one candidate: Optuna's with ``multivariate``, ``group`` and ``constant_liar``.

    Args:
        seen: The trials that earlier samplers of the study have seen.
    """

    def __init__(self, seen: SeenTrials, seed: int, n_startup_trials: int, n_ei_candidates: int) -> None:
        self._seen = seen
        self._n_startup_trials = n_startup_trials
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._tpe = TPESampler(
                seed=seed, n_ei_candidates=n_ei_candidates, n_startup_trials=0, multivariate=True, constant_liar=True
            )
        self._running: list[tuple[int, Mapping[str, Any]]] = []
        self._groups: _Groups = []
        self._is_startup = True

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        trials = study.get_trials(deepcopy=False)
        self._seen.prepare(trials)
        self._is_startup = len(self._seen) < self._n_startup_trials
        if self._is_startup:
            return {}
        running = [other for other in trials if other.state == TrialState.RUNNING and other.number != trial.number]
        # One that runs has the candidate that its worker has told of, as far as it has none yet.
        self._running = [(other.number, self._tpe._get_params(other, study)) for other in running]
        self._seen.divide(study)
        self._groups = self._seen.groups(_find_groups)
        return {name: found for group in self._groups for name, found in group.items()}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        parameters: dict[str, Any] = {}
        for group in self._groups:
            parameters |= self._sample(study, group)
        content = json.dumps(parameters) if parameters else ""
        for place in range(0, len(content), _SHARED_LENGTH):
            part = content[place : place + _SHARED_LENGTH]
            study._storage.set_trial_system_attr(trial._trial_id, f"{_SHARED}:{place // _SHARED_LENGTH}", part)
        return parameters

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        if self._is_startup:
            return self._tpe._random_sampler.sample_independent(study, trial, param_name, param_distribution)
        return self._sample(study, {param_name: param_distribution})[param_name]

    def _sample(self, study: optuna.Study, space: dict[str, BaseDistribution]) -> dict[str, Any]:
        """Return the best of some values for parameters that belong together, drawn and compared as by Optuna."""
        observed = self._seen.observed(space, self._running)
        # Where there are several objectives, all good trials weigh the same.
        weights = [np.ones(len(next(iter(observed[0].values())))) if len(study.directions) > 1 else None, None]
        good, others = (
            _ParzenEstimator(values, space, self._tpe._parzen_estimator_parameters, weight)
            for values, weight in zip(observed, weights, strict=True)
        )
        drawn = good.sample(self._tpe._rng.rng, self._tpe._n_ei_candidates)
        best = TPESampler._compare(drawn, self._tpe._compute_acquisition_func(drawn, good, others))
        return {name: kind.to_external_repr(best[name]) for name, kind in space.items()}


def _find_groups(trials: list[FrozenTrial]) -> _Groups:
    storage = _Shown()
    storage.trials = trials
    with quiet_optuna():
        study = optuna.create_study(storage=storage)
    found = _GroupDecomposedSearchSpace(include_pruned=True).calculate(study).search_spaces
    groups = [{name: kind for name, kind in sorted(group.items()) if not kind.single()} for group in found]
    return [group for group in groups if group]
