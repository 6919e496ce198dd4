"""The hypervolume sampler: what it finds, and how it takes limits, running and stopped trials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import TrialState, create_trial

from tunefront.objectives.dominance import hypervolume
from tunefront.search.sampling.surrogate.hypervolume_sampler import HypervolumeSampler, scores
from tunefront.search.sampling.surrogate.observed_trials import observe
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.parameters import SteeredTrial, steer

LINE = {"x": FloatDistribution(0.0, 1.0)}


class Line:
    """A space of one's own: a number from 0 to 1."""

    def suggest(self, trial: Any) -> Candidate:
        trial.suggest_float("x", 0.0, 1.0)
        return None  # type: ignore[return-value]


class Tree:
    """A space of one's own: a choice of two, one of which has two numbers and the other one."""

    def suggest(self, trial: Any) -> Candidate:
        if trial.suggest_categorical("kind", ["wide", "deep"]) == "wide":
            trial.suggest_int("wide.units", 1, 64, log=True)
            trial.suggest_float("wide.rate", 1e-4, 1e-1, log=True)
        else:
            trial.suggest_int("deep.layers", 1, 12)
        return None  # type: ignore[return-value]


def worth(parameters: Mapping[str, Any]) -> list[float]:
    """Return a made-up accuracy, and a size that it grows with."""
    if parameters["kind"] == "deep":
        return [0.6, 500.0 * parameters["deep.layers"]]
    units = parameters["wide.units"]
    return [1 - 0.5 / units - 0.1 * abs(math.log10(parameters["wide.rate"]) + 2.5), 100.0 * units]


def found(make: Any, n_trials: int) -> float:
    """Return the hypervolume that a search has found, sizes as logarithms."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    for number in range(n_trials):
        study.sampler = make(number)
        trial = study.ask()
        Tree().suggest(trial)
        study.tell(trial, worth(trial.params))
    points = np.array([[one.values[0], math.log(one.values[1])] for one in study.trials])
    return hypervolume(points, (0.0, math.log(6400)), ["maximize", "minimize"])


def hypervolume_sampler(seed: int) -> BaseSampler:
    return HypervolumeSampler(Tree(), seed, n_startup_trials=6, n_candidates=40)  # type: ignore[arg-type]


def test_it_finds_more_of_the_front_than_random_draws() -> None:
    for seed in (0, 100, 200):
        ours, random = (
            found(lambda number, make=make, seed=seed: make(seed + number), 25)
            for make in (hypervolume_sampler, lambda seed: RandomSampler(seed=seed))
        )
        assert ours > random


def study_of(*trials: Any, directions: tuple[str, ...] = ("maximize", "minimize")) -> optuna.Study:
    study = optuna.create_study(directions=list(directions))
    study.add_trials(trials)
    return study


def on_line(x: float, values: list[float] | None = None, **more: Any) -> Any:
    state = more.pop("state", TrialState.COMPLETE)
    return create_trial(state=state, values=values, params={"x": x}, distributions=LINE, **more)


def asked(*places: float) -> list[SteeredTrial]:
    return [steer(Line(), {"x": x}) for x in places]  # type: ignore[arg-type]


def scored(study: optuna.Study, *places: float) -> list[float]:
    return scores(observe(study.trials, -1, study.directions), asked(*places)).tolist()


# More is better up to 0.6, at an equal cost.
HILL = [on_line(x, [1 - (x - 0.6) ** 2, 5.0]) for x in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.8, 1.0)]


def test_the_best_candidate_is_where_the_hill_is() -> None:
    found = scored(study_of(*HILL), 0.05, 0.25, 0.6, 0.9)
    assert int(np.argmax(found)) == 2


@pytest.mark.parametrize("state", [TrialState.RUNNING, TrialState.PRUNED])
def test_a_running_or_stopped_trial_takes_the_worth_of_its_neighbours(state: TrialState) -> None:
    alone = scored(study_of(*HILL), 0.6)[0]
    beside = scored(study_of(*HILL, on_line(0.6, state=state)), 0.6)[0]
    assert beside < 0.3 * alone


def test_a_failed_trial_says_nothing() -> None:
    places = (0.1, 0.6, 0.9)
    assert scored(study_of(*HILL, on_line(0.6, state=TrialState.FAIL)), *places) == scored(study_of(*HILL), *places)


def test_a_limit_lowers_the_score_by_the_chance_that_it_is_broken() -> None:
    limited = [on_line(one.params["x"], one.values, constraints={"size": one.params["x"] - 0.45}) for one in HILL]
    free, held = scored(study_of(*HILL), 0.42, 0.6), scored(study_of(*limited), 0.42, 0.6)
    assert free[1] > free[0]
    assert held[0] > held[1]


def test_where_nothing_keeps_the_limits_the_chance_to_keep_them_counts() -> None:
    broken = [on_line(one.params["x"], one.values, constraints={"size": 1.1 - one.params["x"]}) for one in HILL]
    found = scored(study_of(*broken), 0.1, 0.5, 0.99)
    assert found[0] < found[1] < found[2] <= 1


def test_with_one_objective_it_is_the_score_that_may_rise_most() -> None:
    single = [on_line(one.params["x"], [one.values[0]]) for one in HILL]
    found = scored(study_of(*single, directions=("maximize",)), 0.05, 0.6, 0.95)
    assert int(np.argmax(found)) == 1


STOPPED = [on_line(x, state=TrialState.PRUNED) for x in (0.15, 0.35)]


@pytest.mark.parametrize(
    ("trials", "is_independent"),
    [(HILL[:5], True), (HILL[:4] + STOPPED, False), (HILL[:3] + STOPPED * 2, True), (HILL[:6], False)],
)
def test_the_first_trials_are_independent_draws(trials: list[Any], is_independent: bool) -> None:
    drawn = []
    for sampler in (HypervolumeSampler(Line(), 3, 6, 10), RandomSampler(seed=3)):  # type: ignore[arg-type]
        study = study_of(*trials)
        study.sampler = sampler
        drawn.append(study.ask().suggest_float("x", 0.0, 1.0))
    assert (drawn[0] == drawn[1]) == is_independent


def test_where_every_candidate_was_tried_draws_are_independent() -> None:
    class Coin:
        def suggest(self, trial: Any) -> None:
            trial.suggest_categorical("side", ["a", "b"])

    study = optuna.create_study(directions=["maximize", "minimize"])
    for number in range(6):
        study.sampler = HypervolumeSampler(Coin(), number, 2, 10)  # type: ignore[arg-type]
        trial = study.ask()
        Coin().suggest(trial)
        study.tell(trial, [1.0, 2.0 if trial.params["side"] == "a" else 3.0])
    assert {trial.params["side"] for trial in study.trials} == {"a", "b"}
