"""A candidate as a sampler draws it, before any of it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.pruners import _filter_study
from optuna.samplers import BaseSampler

from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import SteeredTrial
from tunefront.spaces.space import Space


class DrawnTrial(SteeredTrial):
    """A stand-in for a trial that takes the values that Optuna's own trial would take, in the same order.

    Args:
        trial: The trial, of which nothing is stored but its values of `fixed`.
        relative: What the sampler has drawn at once.
        fixed: Values that are given.
    """

    def __init__(
        self, trial: optuna.Trial, sampler: BaseSampler, relative: Mapping[str, Any], fixed: Mapping[str, Any]
    ) -> None:
        super().__init__(fixed)
        self._number = trial.number
        self._frozen = trial._cached_frozen_trial
        self._filtered = _filter_study(trial.study, self._frozen)
        self._sampler = sampler
        self._relative = relative

    def _take(self, name: str, distribution: BaseDistribution, first: Any) -> Any:
        if name not in self._taken:
            value = self._draw(name, distribution, first)
            self._chosen = {**self._chosen, name: distribution.to_external_repr(distribution.to_internal_repr(value))}
        return super()._take(name, distribution, first)

    def _draw(self, name: str, distribution: BaseDistribution, first: Any) -> Any:
        if name in self._chosen:
            return self._chosen[name]
        if distribution.single():
            return first
        if name in self._relative and distribution._contains(distribution.to_internal_repr(self._relative[name])):
            return self._relative[name]
        return self._sampler.sample_independent(self._filtered, self._frozen, name, distribution)


def draw(
    space: Space | OwnSpace, trial: optuna.Trial, sampler: BaseSampler, fixed: Mapping[str, Any], *, again: bool = False
) -> DrawnTrial:
    """Draw a trial's candidate.

    Args:
        again: Whether this sampler is another one than that which the trial began with.

    Raises:
        SpaceError: If a user's own space raises.
    """
    relative = trial.relative_params
    if again:
        study = _filter_study(trial.study, trial._cached_frozen_trial)
        names = sampler.infer_relative_search_space(study, trial._cached_frozen_trial)
        relative = sampler.sample_relative(study, trial._cached_frozen_trial, names)
    drawn = DrawnTrial(trial, sampler, relative, fixed)
    space.suggest(drawn)  # type: ignore[arg-type]
    return drawn
