"""The models of a space: all of them if they can be counted, else random ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.candidate import EPOCHS_PARAMETER, Candidate
from tunefront.spaces.optimizers import OPTIMIZERS
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import SteeredTrial
from tunefront.spaces.space import Space
from tunefront.spaces.walk import walk

_MODEL_PARAMETERS = ("architecture.name", "optimizer.name", "image.size", "output.activation")
# Settings of architectures and optimizers that hardly change a model's size and computation, or not at all.
_TRAINING_SETTINGS = ("learning_rate", "weight_decay", "nesterov", "head_epochs", "fine_tuning_rate", "weights")


def models_of(space: Space | OwnSpace, limit: int, seed: int = 0) -> tuple[list[Candidate], str]:
    """Return candidates whose models differ, and a note on how they were chosen, for people.

    They are all models of the space if no parameter that changes a model is continuous, and there are at most `limit`;
    else `limit` of them, drawn as a random search would. Parameters that change no model, such as the learning rate,
    have some possible value in each. Of a user's own space nobody knows which parameters change a model: every
    combination of those with countable values is taken, and continuous ones have one value each.
    """
    trial_type = _CountableTrial if isinstance(space, OwnSpace) else _ModelTrial
    found, continuous = _all_models(space, limit, trial_type)
    if found is not None:
        what = "the one model" if len(found) == 1 else f"all {len(found)} models"
        fixed = f"; {', '.join(continuous)} {'has' if len(continuous) == 1 else 'have'} one value in all"
        return found, f"{what} of this space{fixed if continuous else ''}"
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [space.suggest(study.ask()) for _ in range(limit)], f"{limit} random candidates; the space has more"


def _all_models(
    space: Space | OwnSpace, limit: int, trial_type: type[_ModelTrial] | type[_CountableTrial]
) -> tuple[list[Candidate] | None, list[str]]:
    """Return a candidate for each model, or None if they are too many or cannot be counted; and what was fixed."""
    found: list[Candidate] = []
    fixed: dict[str, None] = {}

    def ask(chosen: Mapping[str, Any]) -> SteeredTrial:
        trial = trial_type(chosen)
        found.append(space.suggest(trial))  # type: ignore[arg-type]
        fixed.update(dict.fromkeys(trial.fixed))
        return trial

    try:
        for _ in walk(ask):
            if len(found) > limit:
                return None, []
    except _ContinuousError:
        return None, []
    return found, list(fixed)


class _ContinuousError(Exception):
    """A range has no countable values."""


class _ModelTrial(SteeredTrial):
    """A trial that takes the model's parameters only; every other one gets its last value, and is not walked."""

    fixed: tuple[str, ...] = ()

    def _take(self, name: str, distribution: BaseDistribution, first: Any) -> Any:
        if not _changes_model(name):
            if isinstance(distribution, CategoricalDistribution):
                return distribution.choices[-1]
            assert isinstance(distribution, IntDistribution | FloatDistribution)  # there are no others
            return distribution.high
        if _is_continuous(distribution):
            raise _ContinuousError
        return super()._take(name, distribution, first)


class _CountableTrial(SteeredTrial):
    """A trial that takes every countable parameter; a continuous one gets its last value, and is not walked.

    Attributes:
        fixed: Names of the continuous parameters that were asked for.
    """

    fixed: tuple[str, ...] = ()

    def _take(self, name: str, distribution: BaseDistribution, first: Any) -> Any:
        if name == EPOCHS_PARAMETER:  # no model depends on it
            return first
        if _is_continuous(distribution):
            assert isinstance(distribution, FloatDistribution)
            self.fixed = (*self.fixed, name)
            return distribution.high
        return super()._take(name, distribution, first)


def _is_continuous(distribution: BaseDistribution) -> bool:
    return isinstance(distribution, FloatDistribution) and distribution.step is None and not distribution.single()


def _changes_model(name: str) -> bool:
    group, _, setting = name.partition(".")
    if group not in ARCHITECTURES and group not in OPTIMIZERS:
        return name in _MODEL_PARAMETERS
    return setting not in _TRAINING_SETTINGS and "dropout" not in setting
