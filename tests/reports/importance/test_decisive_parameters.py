"""Where a law is known, the parameters that decide are found, and differences by chance are not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from tests.reports.importance.simulated_studies import FLAT, Parameters, clear, draw, noise, record, simulate
from tunefront.reports.importance.divergence import Draws, Values, find_divergence
from tunefront.reports.importance.importance import FRONT, find_importance
from tunefront.reports.study_results import StudyResults


def test_a_parameter_that_alone_decides_is_near_one(empty: StudyResults) -> None:
    """Of 30 trials 10 have the kind "a" and are the best ones; that is all there is to know of them.

    With one trial's weight spread over both kinds, densities of "a" are (10 + 1/2) / 11 in the best and (10 + 1/2) / 31
    in all. Pearson's divergence of the two is 1.69, less what sets drawn by chance have; the most there can be is
    30 / 10 - 1.
    """
    space: dict[str, BaseDistribution] = {
        "net.kind": CategoricalDistribution(("a", "b")),
        "net.width": FloatDistribution(0.0, 1.0),
    }
    rng = np.random.default_rng(3)
    # "a" comes once in three trials, so that sets drawn within blocks of eight have as many of each as chance gives.
    trials = [
        record(n, {"net.kind": "ab"[n % 3 > 0], "net.width": float(rng.uniform())}, space, 0.9 - (n % 3), n, 1.0)
        for n in range(30)
    ]
    found = find_importance(replace(empty, trials=trials, front_numbers=frozenset({0})))
    best, every = np.array([10.5, 0.5]) / 11, np.array([10.5, 20.5]) / 31
    divergence = float(((best / every - 1) ** 2 * every).sum())
    assert divergence == pytest.approx(1.69, abs=0.01)
    kind = found.strengths["net.kind"]["accuracy"]
    assert kind.is_clear
    assert (divergence - 0.2) / 2 < kind.strength < divergence / 2


@pytest.mark.timeout(120)
def test_nothing_is_found_where_nothing_matters(empty: StudyResults) -> None:
    per_study = [
        len(clear(find_importance(simulate(empty, 60, lambda _, rng: noise(rng), seed, has_optimizers=True))))
        for seed in range(12)
    ]
    # By design, a tenth of such studies show something.
    assert sum(per_study) <= 2


@pytest.mark.parametrize(("axis", "name"), [(0, "net.width"), (1, "net.kind"), (2, "net.depth")])
def test_one_that_decides_is_found_alone(empty: StudyResults, axis: int, name: str) -> None:
    def values(parameters: Parameters, rng: np.random.Generator) -> tuple[float, ...]:
        found = list(noise(rng))
        found[axis] += (
            0.4 * parameters["net.width"],
            -500.0 * (parameters["net.kind"] == "residual"),
            parameters["net.depth"],
        )[axis]
        return tuple(found)

    for seed in range(3):
        importance = find_importance(simulate(empty, 60, values, seed))
        assert {pair for pair in clear(importance) if pair[1] != FRONT} == {
            (name, ("accuracy", "memory", "time")[axis])
        }


def test_one_that_decides_is_found_among_very_many(empty: StudyResults) -> None:
    space = FLAT | {f"more.p{index}": FloatDistribution(0.0, 1.0) for index in range(55)}
    rng = np.random.default_rng(3)
    trials = []
    for number in range(90):
        parameters = {name: draw(rng, distribution) for name, distribution in space.items()}
        _, memory, seconds = noise(rng)
        trials.append(record(number, parameters, space, parameters["net.width"], memory, seconds))
    importance = find_importance(replace(empty, trials=trials, front_numbers=frozenset()))
    assert clear(importance) == {("net.width", "accuracy")}


def test_a_rate_is_found_among_those_that_have_it(empty: StudyResults) -> None:
    def values(parameters: Parameters, rng: np.random.Generator) -> tuple[float, ...]:
        accuracy, *costs = noise(rng)
        return accuracy + 0.2 * math.log10(parameters.get("adam.rate", 1e-3)), *costs

    found = clear(find_importance(simulate(empty, 150, values, 1, has_optimizers=True)))
    assert ("adam.rate", "accuracy") in found
    assert {name for name, _ in found} <= {"adam.rate", "optimizer.name"}  # the best are with adam at high rates


def test_a_rate_does_not_matter_because_its_optimizer_does(empty: StudyResults) -> None:
    def values(parameters: Parameters, rng: np.random.Generator) -> tuple[float, ...]:
        accuracy, *costs = noise(rng)
        return accuracy + 0.5 * (parameters["optimizer.name"] == "adam"), *costs

    for seed in range(4):  # the best are nearly, or all, with adam
        found = clear(find_importance(simulate(empty, 90, values, seed, has_optimizers=True)))
        assert ("optimizer.name", "accuracy") in found
        assert ("adam.rate", "accuracy") not in found


def test_what_a_sampler_moves_while_it_learns_is_not_taken_for_a_cause(empty: StudyResults) -> None:
    # Both the accuracy and a parameter that has no effect on it drift with time.
    space = {"net.width": FloatDistribution(0.0, 1.0)}
    rng = np.random.default_rng(0)
    trials = []
    for number in range(96):
        width = float(np.clip(rng.normal(number / 96, 0.15), 0, 1))
        trials.append(record(number, {"net.width": width}, space, number / 96 + rng.normal(0, 0.05), 1.0, 1.0))
    importance = find_importance(replace(empty, trials=trials, front_numbers=frozenset()))
    assert clear(importance) == set()
    together = Draws(np.zeros(96, dtype=np.int64))
    accuracies = np.array([trial.values[0] for trial in trials if trial.values])
    is_best = accuracies >= np.sort(accuracies)[-32]
    # This shows that the test would fail if the best were compared with trials of any time.
    assert find_divergence(Values.of("net.width", trials), is_best, together).chance < 0.001
