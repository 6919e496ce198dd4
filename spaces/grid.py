"""The grid of a space: every combination once, and the point that is next.

It is written by hand because Optuna's ``GridSampler`` takes the product of all parameters, which repeats a candidate
for every setting that it does not have. It also stops a study in a way that does not work with ask and tell, and tries
a point again that another worker is training. Here the points are what the space can ask for, and the store tells
which were tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial

from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import parameters_of, steer
from tunefront.spaces.ranges import FloatRange
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space
from tunefront.spaces.walk import walk

MAX_POINTS = 20_000

Point = Mapping[str, Any]  # group.name -> value


class Grid:
    """The points of a space in an order shuffled by a seed, the same for every worker and run.

    Raises:
        SpaceError: If a parameter is continuous, or there are more than MAX_POINTS.
    """

    def __init__(self, space: Space | OwnSpace, seed: int) -> None:
        check_countable(space)
        points = list(_points(space))
        order = np.random.default_rng(seed).permutation(len(points))
        self._points = {_key(points[place]): points[place] for place in order}

    def __len__(self) -> int:
        return len(self._points)

    def next_point(self, trials: Iterable[FrozenTrial], start: Point = MappingProxyType({})) -> Point | None:
        """Return the first point with the values of `start` that no trial has, in any state; None if none is left."""
        # A queued trial has its point as fixed parameters. A trial that is just starting gets them one by one, so both
        # are read.
        tried = {_key({**trial.system_attrs.get("fixed_params", {}), **trial.params}) for trial in trials}
        wanted = _key(start)
        return next((point for key, point in self._points.items() if key not in tried and wanted <= key), None)


def check_countable(space: Space | OwnSpace) -> None:
    """Refuse a space whose values cannot be counted.

    Raises:
        SpaceError: Names the key of a continuous parameter.
    """
    found = _continuous_in(space) if isinstance(space, Space) else _continuous_in_own(space)
    if found is not None:
        key, low, high = found
        raise SpaceError(
            key,
            f"the sampler 'grid' needs values that can be counted, and {low:g} to {high:g} is continuous. "
            f'Write a list such as [{low:g}, {high:g}], or a step; or take [sampler] name = "qmc"',
        )


def _continuous_in(space: Space) -> tuple[str, float, float] | None:
    ranges = {f"space.{key}": spec_range for key, spec_range in space.general.items()}
    for family in space.families.values():
        for name, settings in family.items():
            ranges |= {f"space.{name}.{setting}": spec_range for setting, spec_range in settings.items()}
    return next(
        ((key, r.low, r.high) for key, r in ranges.items() if isinstance(r, FloatRange) and r.step is None), None
    )


def _continuous_in_own(space: OwnSpace) -> tuple[str, float, float] | None:
    for name, distribution in parameters_of(space).distributions.items():
        if isinstance(distribution, FloatDistribution) and distribution.step is None:
            return f"space: {name}", distribution.low, distribution.high
    return None


def _points(space: Space | OwnSpace) -> Iterator[Point]:
    for number, trial in enumerate(walk(partial(steer, space))):
        if number == MAX_POINTS:
            raise SpaceError(
                "sampler.name",
                f"the grid of this space has more than {MAX_POINTS} points: give parameters fewer values, "
                'or write name = "qmc" or "random"',
            )
        yield dict(trial.params)


def _key(parameters: Point) -> frozenset[tuple[str, Any]]:
    return frozenset(parameters.items())
