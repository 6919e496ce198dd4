"""The candidates among which the best is chosen: random ones, and changed members of the front."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tunefront.search.sampling.neighbours import key_of
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import SteeredTrial
from tunefront.spaces.space import Space

_NEAR = 0.2  # standard deviation of a number's change, as a share of its range


class RandomTrial(SteeredTrial):
    """A stand-in for a trial that draws every value that is not given.

    Args:
        known: The distributions of parameters that were met before, which saves making them again; it grows. A
            parameter has one distribution as long as its study lives.
    """

    def __init__(
        self, chosen: Mapping[str, Any], random: np.random.Generator, known: dict[str, BaseDistribution]
    ) -> None:
        super().__init__(chosen)
        self._random = random
        self._known = known

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        if name in self._known:
            return self._take(name, self._known[name], choices[0])
        return super().suggest_categorical(name, choices)

    def _take(self, name: str, distribution: BaseDistribution, first: Any) -> Any:
        self._met[name] = self._known.setdefault(name, distribution)
        if name not in self._taken:
            given = name in self._chosen
            self._taken[name] = self._chosen[name] if given else draw_value(distribution, self._random.random())
        return self._taken[name]


def draw_value(distribution: BaseDistribution, place: float) -> Any:
    """Return the value at a place of a distribution, from 0 to below 1; all of them are equally likely."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(place * len(distribution.choices))]
    assert isinstance(distribution, IntDistribution | FloatDistribution)  # there are no others
    low, high = float(distribution.low), float(distribution.high)
    half = 0.5 if isinstance(distribution, IntDistribution) else 0.0
    if distribution.log:
        low, high = math.log(low - half), math.log(high + half)
        value = math.exp(low + place * (high - low))
    elif distribution.step is not None:
        n_steps = math.floor((high - low) / distribution.step + 1e-9)
        value = round(low + distribution.step * int(place * (n_steps + 1)), 12)
    else:
        value = low + place * (high - low)
    value = min(max(value, distribution.low), distribution.high)
    return round(value) if isinstance(distribution, IntDistribution) else value


class CandidatePool:
    """The source of candidates that were not tried: half are random, and half members of the front, a little changed.

    Args:
        fixed: Values that all of them have.
    """

    def __init__(self, space: Space | OwnSpace, fixed: Mapping[str, Any], random: np.random.Generator) -> None:
        self._space, self._fixed, self._random = space, fixed, random
        self._known: dict[str, BaseDistribution] = {}

    def draw(
        self, front: Sequence[Mapping[str, Any]], tried: Sequence[Mapping[str, Any]], n_candidates: int
    ) -> list[SteeredTrial]:
        """Draw so many candidates, and return those that differ from each other and from what was tried."""
        known = {key_of(one) for one in tried}
        members = [self._ask({**one, **self._fixed}) for one in front]
        found: list[SteeredTrial] = []
        for number in range(n_candidates):
            is_changed = bool(number % 2 and members)
            chosen = self._change(members[int(self._random.integers(len(members)))]) if is_changed else self._fixed
            candidate = self._ask(chosen)
            key = key_of(candidate.params)
            if key not in known:
                known.add(key)
                found.append(candidate)
        return found

    def _ask(self, chosen: Mapping[str, Any]) -> SteeredTrial:
        trial = RandomTrial(chosen, self._random, self._known)
        self._space.suggest(trial)  # type: ignore[arg-type]
        return trial

    def _change(self, member: SteeredTrial) -> Mapping[str, Any]:
        """Change one parameter, or two; what comes with another choice is still to be drawn."""
        chosen, random = dict(member.params), self._random
        names = [name for name, one in member.distributions.items() if not one.single() and name not in self._fixed]
        n_changed = 1 + int(random.random() < 0.5)
        for place in random.permutation(len(names))[:n_changed]:
            distribution = member.distributions[names[place]]
            is_near = not isinstance(distribution, CategoricalDistribution) and random.random() < 0.5
            where = _near(distribution, chosen[names[place]], random) if is_near else random.random()
            chosen[names[place]] = draw_value(distribution, where)
        return chosen


def _near(distribution: BaseDistribution, value: Any, random: np.random.Generator) -> float:
    """Return the place of a value near this one."""
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high, value = float(distribution.low), float(distribution.high), float(value)
    if distribution.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    place = (value - low) / (high - low) + _NEAR * random.standard_normal()
    return float(min(max(place, 0.0), 1 - 1e-9))
