"""The candidates that a study has tried, so that none is trained twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from optuna.distributions import FloatDistribution

from tunefront.search.sampling.neighbours import key_of, neighbours
from tunefront.spaces.effects.idle_settings import IdleParameters
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import SteeredTrial, steer
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space
from tunefront.spaces.walk import walk

_MOST_ASKED = 2000  # neighbours, before the first untried candidate of the whole space is taken


class TriedCandidates:
    """The candidates of a study's trials, in whatever state; it grows with the candidates that it is shown.

    Only parameters that a candidate uses and that change something are compared.
    """

    def __init__(self, space: Space | OwnSpace) -> None:
        self._space = space
        self._idle = IdleParameters(space) if isinstance(space, Space) else None
        self._keys: set[frozenset[tuple[str, Any]]] = set()
        self._points: Iterator[SteeredTrial] = walk(partial(steer, space))
        self._first: SteeredTrial | None = None  # the point of the walk that was reached; all before it are tried
        self._is_infinite = False
        self._is_exhausted = False

    def __contains__(self, candidate: SteeredTrial) -> bool:
        return self._key(candidate.params) in self._keys

    def _key(self, parameters: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
        """Return what candidates share that are trained alike; of a space of one's own nobody knows what is idle."""
        return key_of(parameters if self._idle is None else self._idle.left_out(parameters))

    def meet(self, candidates: Iterable[Mapping[str, Any]]) -> None:
        """Note candidates by their parameters."""
        self._keys.update(map(self._key, candidates))

    @property
    def is_endless(self) -> bool:
        """Whether the space is known to have a continuous parameter."""
        return self._is_infinite

    def first_untried(self) -> SteeredTrial | None:
        """Return the first untried candidate in the order of the space; None if none is left or it has no end."""
        while not (self._is_infinite or self._is_exhausted) and (self._first is None or self._first in self):
            try:
                self._first = next(self._points, None)
            except SpaceError:  # a space of one's own, whose suggest is to raise where it is asked for a candidate
                self._is_infinite = True
                break
            self._is_exhausted = self._first is None
            self._is_infinite = self._first is not None and any(
                isinstance(one, FloatDistribution) and one.step is None and not one.single()
                for one in self._first.distributions.values()
            )
        return None if self._is_infinite else self._first

    def is_exhausted(self) -> bool:
        """Return whether every candidate of the space was tried."""
        return self.first_untried() is None and not self._is_infinite

    def nearest_untried(self, candidate: SteeredTrial, random: np.random.Generator) -> SteeredTrial | None:
        """Return the untried candidate that is the fewest steps away; among equals, a random one.

        Where there is none among the nearest 2000, it is the first one of the space; None if there is none at all.
        """
        met, layer, n_asked = {key_of(candidate.params)}, [candidate], 0
        while layer and n_asked < _MOST_ASKED:
            following = []
            for found in (one for origin in layer for one in neighbours(self._space, origin, random)):
                n_asked += 1
                if found not in self:
                    return found
                key = key_of(found.params)  # with idle ones, which a next step may put into effect
                if key not in met:
                    met.add(key)
                    following.append(found)
            layer = following
        return self.first_untried()
