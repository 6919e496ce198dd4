"""The sampler of new members: a population has one network, drawn once, and settings of each member's own."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial

from tunefront.search.sampling.seeds import trial_seed
from tunefront.spaces.stages.changeable import is_changeable


class MemberSampler(BaseSampler):
    """Random draws: of what may change during a training for each member, of everything else for its population.

    Args:
        number: The member's trial.
        size: The members of a population; trials 0 to `size` - 1 are the first one.
    """

    def __init__(self, study_seed: int, number: int, size: int) -> None:
        self._own = RandomSampler(seed=trial_seed(study_seed, number))
        # Members ask for the same parameters in the same order, so equal seeds give equal networks.
        self._shared = RandomSampler(seed=trial_seed(study_seed, number // size * size))

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        sampler = self._own if is_changeable(param_name) else self._shared
        return sampler.sample_independent(study, trial, param_name, param_distribution)
