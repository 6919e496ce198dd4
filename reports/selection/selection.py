"""The rule by which one model is chosen.

A search has hundreds of models whose scores differ by chance, and the best score is the luckiest. So what is chosen is
the cheapest model whose accuracy cannot be told from the best one's, the habit of the one-standard-error rule (Breiman
et al., Classification and Regression Trees, 1984, section 3.4.3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.cheapness import mean_log_costs
from tunefront.objectives.measures import Axis
from tunefront.objectives.tolerance import within
from tunefront.reports.selection.limits import Limit
from tunefront.reports.selection.options import Option, Options, front_of

Preference = Literal["balance", "accuracy", "quality", "memory", "time", "knee"]
PREFERENCES: tuple[Preference, ...] = get_args(Preference)
FEW_IMAGES = 50  # with fewer, hardly any two models can be told apart


@dataclass(frozen=True)
class Selection:
    """A chosen model.

    Attributes:
        option: The chosen model.
        most_accurate: The most accurate model within the limits, of equals the cheapest.
        alike: Models on the front whose accuracy cannot be told from the most accurate one's, that one with them.
        n_beaten_alike: Further such models, which another one beats.
        runner_up: The most accurate of the models that can be told from the most accurate one; of those on the front
            alone, if one that another beats is like it. None if there is none.
        cheaper: Cost axis -> the most accurate of the models that cost less there, by more than the tolerance; an axis
            on which nothing costs less is left out.
        noise: The difference to the most accurate model that may be chance; NaN if it is not known.
    """

    option: Option
    options: Options
    preference: Preference
    limits: Sequence[Limit]
    most_accurate: Option
    alike: Sequence[Option]
    n_beaten_alike: int
    runner_up: Option | None
    cheaper: Mapping[Axis, Option]
    noise: float


def choose(options: Options, limits: Sequence[Limit] = (), preference: Preference = "balance") -> Selection | None:
    """Choose one model; None if none keeps the limits.

    Args:
        preference: ``balance`` is the cheapest of those whose accuracy cannot be told from the best one's, by the mean
            of its log costs; ``memory`` and ``time`` look at that cost alone. ``accuracy``, or ``quality``, is
            the most accurate, ``knee`` the one farthest from the line between the cheapest and the most accurate.
    """
    kept = [option for option in options.members if all(limit.is_kept_by(option) for limit in limits)]
    front = front_of(options, kept)
    if not front:
        return None
    dearness = dict(zip((option.key for option in front), mean_log_costs(_costs(options, front)), strict=True))
    keys = {option.key for option in front}
    rivals = [option for option in kept if option.key not in keys]
    order = sorted(front, key=lambda option: (dearness[option.key], option.key))
    best = min(order, key=lambda option: _loss(options, option))
    alike = [option for option in order if _is_like(options, best, option)]
    n_beaten_alike = sum(_is_like(options, best, option) for option in rivals)
    pool = order if n_beaten_alike else [*order, *rivals]
    unlike = [option for option in pool if not _is_like(options, best, option)]
    chosen = {
        "balance": lambda: alike[0],
        "accuracy": lambda: best,
        "quality": lambda: best,
        "memory": lambda: _least(options, alike, "memory"),
        "time": lambda: _least(options, alike, "time"),
        "knee": lambda: _knee(options, order, dearness),
    }[preference]()
    return Selection(
        chosen,
        options,
        preference,
        limits,
        most_accurate=best,
        alike=alike,
        n_beaten_alike=n_beaten_alike,
        runner_up=min(unlike, key=lambda option: (_loss(options, option), option.key), default=None),
        cheaper=_cheaper(options, order, chosen),
        noise=options.noise_between(best, chosen),
    )


def _loss(options: Options, option: Option) -> float:
    measure = options.measure("accuracy")
    return measure.loss(option.value(measure.name))


def _is_like(options: Options, best: Option, option: Option) -> bool:
    """Return whether a model's accuracy cannot be told from the best one's."""
    distance = _loss(options, option) - _loss(options, best)
    found = options.noise_between(best, option)
    return distance <= (0.0 if math.isnan(found) else found)


def _cheaper(options: Options, order: Sequence[Option], chosen: Option) -> dict[Axis, Option]:
    found: dict[Axis, Option] = {}
    for axis in options.axes:
        if axis == "accuracy":
            continue
        objective = options.objective(axis)
        name, most = objective.measure.name, chosen.value(objective.measure.name)
        less = [each for each in order if each.value(name) < most and not within(each.value(name), most, objective)]
        if less:
            found[axis] = min(less, key=lambda option: _loss(options, option))
    return found


def _least(options: Options, alike: Sequence[Option], axis: Axis) -> Option:
    name = options.measure(axis).name
    return min(alike, key=lambda option: (option.value(name), option.key))


def _knee(options: Options, order: Sequence[Option], dearness: dict[tuple[int, str], float]) -> Option:
    """Return the model farthest above the line between the cheapest and the most accurate, both axes scaled to 1."""
    gains = np.array([-_loss(options, option) for option in order])
    spread = gains.max() - gains.min()
    heights = (gains - gains.min()) / spread if spread > 0 else np.zeros(len(order))
    costs = np.array([dearness[option.key] for option in order])
    return order[int(np.argmax(heights - costs))]


def _costs(options: Options, members: Sequence[Option]) -> NDArray[np.float64]:
    """Return the costs of models on the axes that count, shape (n, m)."""
    names = [options.measure(axis).name for axis in options.axes if axis != "accuracy"]
    return np.array([[option.value(name) for name in names] for option in members], dtype=float).reshape(
        len(members), -1
    )
