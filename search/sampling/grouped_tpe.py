"""Optuna's TPE over groups of parameters, without doing for each group again what is the same for all of them.

Optuna asks the storage for all trials, divides them into good and bad ones, and looks through the parameters of each,
once for every group: ten times a candidate, and nearly all of its time where there are thousands of trials. Here
that is done once. The estimators are Optuna's, so a candidate is the same to the last bit.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Collection, Container, Iterable
from importlib.metadata import version
from itertools import chain
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.samplers._tpe.sampler import _split_trials, default_gamma, default_gamma_multiobjective
from optuna.search_space import _GroupDecomposedSearchSpace
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from tunefront.search.system.optuna_log import quiet_optuna

_KNOWN_VERSIONS = {"5.0.0"}  # of Optuna: those whose candidates were compared with these, see the tests
_SHARED = "tpe:relative_params"  # where Optuna's TPE tells other workers of a candidate before its trial has it
_SHARED_LENGTH = 2045  # of each part of it


def is_known() -> bool:
    """Return whether the installed Optuna is one that was compared with what is here."""
    return version("optuna") in _KNOWN_VERSIONS


_Kind = frozenset[str]  # the names of a trial's parameters


class SeenTrials:
    """The ended trials that samplers have seen, as they need them: each is prepared once for all candidates."""

    def __init__(self) -> None:
        self._judged: dict[int, FrozenTrial] = {}
        self._shown: dict[int, FrozenTrial] = {}
        self._good: set[int] = set()
        self._first: dict[_Kind, FrozenTrial] = {}
        self.by_kind: dict[_Kind, list[FrozenTrial]] = {}

    def __len__(self) -> int:
        return len(self._judged)

    def prepare(self, trials: Iterable[FrozenTrial]) -> None:
        """Prepare the trials that have ended and were not seen before."""
        for trial in trials:
            if trial.number not in self._judged and trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
                kind = frozenset(trial.distributions)
                self._judged[trial.number] = _Judged(trial)
                self._shown[trial.number] = _shown(trial.number, trial.params)
                self.by_kind.setdefault(kind, []).append(self._shown[trial.number])
                if kind not in self._first or trial.number < self._first[kind].number:
                    self._first[kind] = trial

    def judged(self) -> list[FrozenTrial]:
        """Return the trials as they are divided into good and bad ones, in the order of their numbers."""
        return [self._judged[number] for number in sorted(self._judged)]

    def show_good(self, good: set[int]) -> None:
        """Let `by_kind` have the good trials as complete ones, and the others as running ones.

        Optuna's TPE takes as many complete trials as it is told to for good ones, and running ones for bad ones.
        """
        for numbers, state in ((self._good - good, TrialState.RUNNING), (good - self._good, TrialState.COMPLETE)):
            for number in numbers:
                self._shown[number].state = state
        self._good = good

    def first_of_each_kind(self) -> list[FrozenTrial]:
        """Return the first trial of each kind, in the order of their numbers.

        They tell which parameters belong together as well as all trials do.
        """
        return sorted(self._first.values(), key=lambda trial: trial.number)


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


def _shown(number: int, parameters: dict[str, Any]) -> FrozenTrial:
    return FrozenTrial(
        number=number,
        state=TrialState.RUNNING,
        value=0.0,
        datetime_start=None,
        datetime_complete=None,
        params=parameters,
        distributions={},
        user_attrs={},
        system_attrs={},
        intermediate_values={},
        trial_id=number,
    )


class _Shown(InMemoryStorage):
    """A storage with the trials that an estimator is to be shown, and no others."""

    def __init__(self) -> None:
        super().__init__()
        self.trials: list[FrozenTrial] = []

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        return [trial for trial in self.trials if states is None or trial.state in states]

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write nothing: the candidate is told of once, when all its groups are drawn."""


class GroupedTpeSampler(BaseSampler):
    """The sampler of one candidate: Optuna's with ``multivariate``, ``group`` and ``constant_liar``.

    Args:
        seen: The trials that earlier samplers of the study have seen.
    """

    def __init__(self, seen: SeenTrials, seed: int, n_startup_trials: int, n_ei_candidates: int) -> None:
        self._seen = seen
        self._n_startup_trials = n_startup_trials
        self._settings: dict[str, Any] = {"seed": seed, "n_ei_candidates": n_ei_candidates, "multivariate": True}
        self._storage = _Shown()
        self._running: list[FrozenTrial] = []
        self._groups: list[dict[str, BaseDistribution]] = []

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        trials = study.get_trials(deepcopy=False)
        self._seen.prepare(trials)
        with quiet_optuna():
            self._study = optuna.create_study(storage=self._storage, directions=study.directions)
        is_startup = len(self._seen) < self._n_startup_trials
        self._tpe = self._make_tpe(self._n_startup_trials if is_startup else 0)
        if is_startup:
            return {}
        running = [other for other in trials if other.state == TrialState.RUNNING and other.number != trial.number]
        self._running = [self._shown_running(other) for other in running]
        self._seen.show_good(self._good(study))
        self._groups = self._find_groups()
        return {name: found for group in self._groups for name, found in group.items()}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        parameters: dict[str, Any] = {}
        for group in self._groups:
            self._show(group)
            parameters |= self._tpe.sample_relative(self._study, trial, group)
        content = json.dumps(parameters) if parameters else ""
        for place in range(0, len(content), _SHARED_LENGTH):
            part = content[place : place + _SHARED_LENGTH]
            study._storage.set_trial_system_attr(trial._trial_id, f"{_SHARED}:{place // _SHARED_LENGTH}", part)
        return parameters

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        self._show({param_name})
        return self._tpe.sample_independent(self._study, trial, param_name, param_distribution)

    def _make_tpe(self, n_startup_trials: int) -> TPESampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `gamma` is to go with a later version
            return TPESampler(
                n_startup_trials=n_startup_trials,
                constant_liar=True,
                gamma=lambda n_complete: n_complete,  # all that are shown as complete are good
                **self._settings,
            )

    def _good(self, study: optuna.Study) -> set[int]:
        """Return the numbers of the good trials, by Optuna's own rule."""
        gamma: Callable[[int], int] = default_gamma if len(study.directions) == 1 else default_gamma_multiobjective
        good, _ = _split_trials(study, self._seen.judged(), gamma(len(self._seen)))
        return {trial.number for trial in good}

    def _shown_running(self, trial: FrozenTrial) -> FrozenTrial:
        """Return a trial that runs with the candidate that its worker has told of, as far as it has none yet."""
        return _shown(trial.number, self._tpe._get_params(trial, self._study))

    def _find_groups(self) -> list[dict[str, BaseDistribution]]:
        self._storage.trials = self._seen.first_of_each_kind()
        found = _GroupDecomposedSearchSpace(include_pruned=True).calculate(self._study).search_spaces
        groups = [{name: kind for name, kind in sorted(group.items()) if not kind.single()} for group in found]
        return [group for group in groups if group]

    def _show(self, names: Collection[str]) -> None:
        """Show the estimator the trials that have these parameters; it would pass over the others."""
        wanted = set(names)
        ended = [trials for kind, trials in self._seen.by_kind.items() if wanted <= kind]
        running = [trial for trial in self._running if wanted <= trial.params.keys()]
        self._storage.trials = [*chain.from_iterable(ended), *running]
