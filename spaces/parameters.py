"""Ask a space for a candidate of one's own choice: what parameters it has, and which values they may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tunefront.spaces.own import OwnSpace
from tunefront.spaces.space import Space

_MAX_ASKED = 5000
_MAX_TRIED = 16  # values of a whole number that are each tried; of more, the two ends


class SteeredTrial(optuna.trial.FixedTrial):
    """Stands in for a trial: takes the values it is given, and of every other parameter the first there is.

    Attributes:
        params: What was taken, in the order of asking.
        distributions: Of the same.
    """

    def __init__(self, chosen: Mapping[str, Any]) -> None:
        super().__init__({})
        self._chosen = chosen
        self._taken: dict[str, Any] = {}
        self._met: dict[str, BaseDistribution] = {}

    @property
    def params(self) -> dict[str, Any]:
        return self._taken

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        return self._met

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._take(name, CategoricalDistribution(choices), choices[0])

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return int(self._take(name, IntDistribution(low, high, log, step), low))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return float(self._take(name, FloatDistribution(low, high, log, step), low))

    def _take(self, name: str, distribution: BaseDistribution, first: Any) -> Any:
        self._met[name] = distribution
        self._taken[name] = self._chosen.get(name, first)
        return self._taken[name]


def steer(space: Space | OwnSpace, chosen: Mapping[str, Any]) -> SteeredTrial:
    """Sample a candidate with these parameters.

    Raises:
        SpaceError: If a user's own code raises.
    """
    trial = SteeredTrial(chosen)
    space.suggest(trial)  # type: ignore[arg-type]
    return trial


@dataclass(frozen=True)
class SpaceParameters:
    """What a space can ask for.

    Attributes:
        distributions: Of every parameter that was met.
        always: Names of those that every candidate has.
    """

    distributions: Mapping[str, BaseDistribution]
    always: frozenset[str]


def parameters_of(space: Space | OwnSpace) -> SpaceParameters:
    """Every parameter of a space, also those that exist only with one choice of another.

    Each value of each choice is tried once, on the way that first led to it. What exists only where two
    choices on different ways meet is not found; a :class:`Space` has no such parameter.
    """
    found: dict[str, BaseDistribution] = {}
    always: set[str] | None = None
    pending: list[dict[str, Any]] = [{}]
    n_asked = 0
    while pending and n_asked < _MAX_ASKED:
        chosen = pending.pop()
        met = steer(space, chosen).distributions
        n_asked += 1
        always = set(met) if always is None else always & set(met)
        for name in [name for name in met if name not in found]:
            found[name] = met[name]
            pending += [{**chosen, name: value} for value in _other_values(met[name])]
    return SpaceParameters(found, frozenset(always or ()))


def _other_values(distribution: BaseDistribution) -> Sequence[Any]:
    """Values that may lead elsewhere than the first one did."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[1:]
    if isinstance(distribution, IntDistribution):
        values = range(distribution.low, distribution.high + 1, distribution.step)
        return values[1:] if len(values) <= _MAX_TRIED else (distribution.high,)
    return ()
