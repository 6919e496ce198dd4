"""Studies of random candidates whose values follow a known law."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tests.storage.trial_record import trial_record
from tunefront.reports.importance.importance import Importance
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

RATE = FloatDistribution(1e-4, 1e-1, log=True)
FLAT: dict[str, BaseDistribution] = {
    "net.dropout": FloatDistribution(0.0, 0.5, step=0.1),
    "net.units": IntDistribution(8, 512, log=True),
    "net.depth": IntDistribution(1, 6),
    "net.kind": CategoricalDistribution(("plain", "residual", "separable")),
    "net.width": FloatDistribution(0.0, 1.0),
}
Parameters = dict[str, Any]


def draw(rng: np.random.Generator, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(rng.integers(len(distribution.choices)))]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high = float(distribution.low), float(distribution.high)
    value = math.exp(rng.uniform(math.log(low), math.log(high))) if distribution.log else rng.uniform(low, high)
    if isinstance(distribution, IntDistribution):
        return round(value)
    return round(value, 1) if distribution.step else float(value)


def record(number: int, parameters: Parameters, space: Mapping[str, BaseDistribution], *values: float) -> TrialRecord:
    return trial_record(number, values=values, parameters=parameters, distributions=space)


Values3 = Callable[[Parameters, np.random.Generator], tuple[float, ...]]


def simulate(
    empty: StudyResults, n_trials: int, values: Values3, seed: int, *, has_optimizers: bool = False
) -> StudyResults:
    """Return a study of random candidates; with `has_optimizers`, each optimizer has a learning rate of its own."""
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(n_trials):
        space = dict(FLAT)
        if has_optimizers:
            name = ("adam", "sgd", "rmsprop")[int(rng.integers(3))]
            space |= {"optimizer.name": CategoricalDistribution((name, "-")), f"{name}.rate": RATE}
            space["optimizer.name"] = CategoricalDistribution(("adam", "sgd", "rmsprop"))
        parameters = {key: draw(rng, distribution) for key, distribution in space.items()}
        if has_optimizers:
            parameters["optimizer.name"] = name
        trials.append(record(number, parameters, space, *values(parameters, rng)))
    return replace(empty, trials=trials, front_numbers=frozenset(range(0, n_trials, max(n_trials // 8, 1))))


def noise(rng: np.random.Generator) -> tuple[float, float, float]:
    accuracy, memory, seconds = rng.normal((0.8, 1000.0, 1.0), (0.02, 10.0, 0.1))
    return float(accuracy), float(memory), float(seconds)


def clear(importance: Importance) -> set[tuple[str, str]]:
    return {
        (name, target) for name, shares in importance.strengths.items() for target in shares if shares[target].is_clear
    }
