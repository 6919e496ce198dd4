"""All models of a space, where they can be counted, else a random share of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optuna

from tunefront.spaces import Candidate, OwnSpace, Space
from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.optimizers import OPTIMIZERS

_OF_THE_MODEL = ("architecture.name", "optimizer.name", "image.size", "output.activation")
# Settings of architectures and optimizers that leave size and computation of a model alone, or nearly so.
_OF_THE_TRAINING = ("learning_rate", "weight_decay", "nesterov", "head_epochs", "fine_tuning_rate", "weights")


def models_of(space: Space | OwnSpace, limit: int, seed: int = 0) -> tuple[list[Candidate], str]:
    """Candidates whose models differ, and a note on how they were chosen, for people.

    They are all that there are, if what changes a model has no continuous range and they are at most
    `limit`; else `limit` of them, as a random search would try them. Of what changes none, such as
    the learning rate, each has some possible value.
    """
    found = None if isinstance(space, OwnSpace) else _all_models(space, limit)
    if found is not None:
        return found, f"all {len(found)} models of this space"
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [space.suggest(study.ask()) for _ in range(limit)], f"{limit} random candidates; the space has more"


def _all_models(space: Space, limit: int) -> list[Candidate] | None:
    """None if they are more, or cannot be counted."""
    found: list[Candidate] = []
    path: list[int] = []
    while len(found) < limit:
        trial = _Walk(path)
        try:
            found.append(space.suggest(trial))  # type: ignore[arg-type]
        except _ContinuousError:
            return None
        path = [number for number, _ in trial.taken]
        while path and path[-1] + 1 == trial.taken[len(path) - 1][1]:
            path.pop()
        if not path:
            return found
        path[-1] += 1
    return None


class _ContinuousError(Exception):
    """A range has no countable values."""


class _Walk:
    """Stands in for an Optuna trial: takes the options that `path` numbers, and the first ones after it.

    Attributes:
        taken: For each parameter of the model in turn, the number of the option, and how many there are.
    """

    def __init__(self, path: Sequence[int]) -> None:
        self._path = path
        self.taken: list[tuple[int, int]] = []

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._take(choices) if _is_of_the_model(name) else choices[-1]

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return int(self._take(range(low, high + 1, step))) if _is_of_the_model(name) else high

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        if not _is_of_the_model(name):
            return high
        if step is None:
            raise _ContinuousError
        return float(self._take([low + number * step for number in range(int((high - low) / step + 1e-9) + 1)]))

    def _take(self, options: Sequence[Any]) -> Any:
        place = len(self.taken)
        number = self._path[place] if place < len(self._path) else 0
        self.taken.append((number, len(options)))
        return options[number]


def _is_of_the_model(name: str) -> bool:
    group, _, setting = name.partition(".")
    if group not in ARCHITECTURES and group not in OPTIMIZERS:
        return name in _OF_THE_MODEL
    return setting not in _OF_THE_TRAINING and "dropout" not in setting
