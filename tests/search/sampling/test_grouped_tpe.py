"""The grouped TPE against Optuna's own: the same candidates, to the last bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import optuna
import pytest
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import TrialState

from tunefront.search.sampling.grouped_tpe import GroupedTpeSampler, SeenTrials, is_known
from tunefront.spaces.space import Space
from tunefront.storage import constraints

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")

SPACE = Space.from_table(
    {
        "architecture": ["plain_cnn", "residual_cnn"],
        "optimizer": ["sgd", "adam", "lion"],
        "augmentation": ["none", "light"],
    }
)
N_TRIALS = 36


def plain(seed: int) -> BaseSampler:
    return TPESampler(
        seed=seed, n_startup_trials=6, n_ei_candidates=12, multivariate=True, group=True, constant_liar=True
    )


def candidates(make: Callable[[int], BaseSampler], directions: list[str], seed: int) -> list[dict[str, Any]]:
    """Return the candidates of a study with three workers, whose trials end in every way, and not in order."""
    storage = optuna.storages.InMemoryStorage()
    study = optuna.create_study(directions=directions, storage=storage)
    chance, running = random.Random(seed), []
    for number in range(N_TRIALS):
        study.sampler = make(1000 * seed + number)
        trial = study.ask()
        _ = trial.relative_params
        if number % 5 != 4:  # else it runs on with what it has told others of, and no parameters
            SPACE.suggest(trial)
        running.append(trial)
        study.sampler = optuna.samplers.RandomSampler()
        if len(running) == 3:
            ended = running.pop(chance.randrange(3))
            end(study, ended, chance)
    return [trial.params for trial in study.trials]


def end(study: optuna.Study, trial: optuna.Trial, chance: random.Random) -> None:
    state = chance.choice([TrialState.COMPLETE] * 4 + [TrialState.PRUNED, TrialState.FAIL])
    if chance.random() < 0.7 and state != TrialState.FAIL:
        study._storage.set_trial_system_attr(trial._trial_id, constraints.KEY, [chance.uniform(-1, 0.3), -0.5])
    if state == TrialState.PRUNED and len(study.directions) == 1 and chance.random() < 0.5:
        trial.report(chance.random(), step=chance.randrange(1, 4))
    values = [chance.random() for _ in study.directions]
    study.tell(trial, values if state == TrialState.COMPLETE else None, state=state)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("directions", [["maximize", "minimize", "minimize"], ["maximize", "minimize"], ["minimize"]])
def test_candidates_are_those_of_optuna_to_the_last_bit(directions: list[str], seed: int) -> None:
    assert is_known()
    seen = SeenTrials()
    ours = candidates(lambda each: GroupedTpeSampler(seen, each, 6, 12), directions, seed)
    assert ours == candidates(plain, directions, seed)
    assert len({str(found) for found in ours}) > N_TRIALS * 0.7


def test_a_sampler_that_has_seen_nothing_draws_the_same() -> None:
    seed = 4
    directions = ["maximize", "minimize", "minimize"]
    ours = candidates(lambda each: GroupedTpeSampler(SeenTrials(), each, 6, 12), directions, seed)
    assert ours == candidates(plain, directions, seed)
