"""Walk the tree of a space's choices: every combination once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tunefront.spaces.parameters import SteeredTrial


def walk(ask: Callable[[Mapping[str, Any]], SteeredTrial]) -> Iterator[SteeredTrial]:
    """Yield a trial for each combination of the parameters that trials take.

    The next combination changes the last parameter that has further values.

    Args:
        ask: Samples a candidate with the given parameters, and the first value of every other one.
    """
    chosen: dict[str, Any] | None = {}
    while chosen is not None:
        trial = ask(chosen)
        yield trial
        chosen = _following(trial)


def _following(trial: SteeredTrial) -> dict[str, Any] | None:
    names = list(trial.params)
    for place in reversed(range(len(names))):
        name = names[place]
        values = _values_of(trial.distributions[name])
        position = values.index(trial.params[name]) + 1
        if position < len(values):
            return {**{before: trial.params[before] for before in names[:place]}, name: values[position]}
    return None


def _values_of(distribution: BaseDistribution) -> Sequence[Any]:
    """Return every value of a parameter that can be counted."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    if isinstance(distribution, IntDistribution):
        return range(distribution.low, distribution.high + 1, distribution.step)
    assert isinstance(distribution, FloatDistribution)
    if distribution.single():
        return [distribution.low]
    assert distribution.step is not None  # without steps, its values could not be counted
    n_steps = round((distribution.high - distribution.low) / distribution.step)
    return [round(distribution.low + number * distribution.step, 12) for number in range(n_steps + 1)]
