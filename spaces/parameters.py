"""The parameters of a space and their possible values, found by asking for chosen candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tunefront.spaces.own import OwnSpace
from tunefront.spaces.space import Space

_MAX_ASKED = 5000
_MAX_TRIED = 16  # if a whole number has more values, only its two ends are tried


class SteeredTrial(optuna.trial.FixedTrial):
    """A stand-in for a trial: it takes the given values, and the first value of every other parameter.

    Attributes:
        params: The values that were taken, in the order of asking.
        distributions: The distributions of the same parameters.
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
    """The parameters that a space can ask for.

    Attributes:
        distributions: The distribution of every parameter that was met.
        always: Names of the parameters that every candidate has.
    """

    distributions: Mapping[str, BaseDistribution]
    always: frozenset[str]


def parameters_of(space: Space | OwnSpace) -> SpaceParameters:
    """Return every parameter of a space, also those that exist only with one choice of another.

    Each value of each choice is tried once, together with the choices that first led to it. A parameter that exists
    only for a combination of two independent choices is not found; a :class:`Space` has no such parameter.
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
    """Return the values other than the first, which may lead to further parameters."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[1:]
    if isinstance(distribution, IntDistribution):
        values = range(distribution.low, distribution.high + 1, distribution.step)
        return values[1:] if len(values) <= _MAX_TRIED else (distribution.high,)
    return ()
