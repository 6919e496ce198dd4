from __future__ import annotations

from typing import Any

import optuna
import pytest

from search.sampling import make_sampler, trial_seed
from search.spec import SamplerTable
from spaces import Space

TABLES = [SamplerTable(name="tpe"), SamplerTable(name="random")]
SPACE = Space.from_table({})


def drawn(table: SamplerTable, study_seed: int, number: int, n_finished: int = 0) -> dict[str, Any]:
    """What a trial of that number draws in a study where others have finished."""
    study = optuna.create_study(directions=["maximize", "minimize", "minimize"])
    for index in range(n_finished):
        study.sampler = make_sampler(table, study_seed, index)
        trial = study.ask()
        SPACE.suggest(trial)
        study.tell(trial, [index / 100, 1000.0 - index, 5.0])
    study.sampler = make_sampler(table, study_seed, number)
    trial = study.ask()
    SPACE.suggest(trial)
    return trial.params


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_each_trial_draws_another_candidate(table: SamplerTable) -> None:
    assert len({str(drawn(table, 1, number)) for number in range(12)}) == 12


@pytest.mark.parametrize("n_finished", [0, 15])
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_trial_draws_the_same_candidate_when_it_is_drawn_again(table: SamplerTable, n_finished: int) -> None:
    assert drawn(table, 1, 20, n_finished) == drawn(table, 1, 20, n_finished)


def test_another_study_seed_draws_other_candidates() -> None:
    assert drawn(TABLES[1], 1, 0) != drawn(TABLES[1], 2, 0)


def test_tpe_bears_pruned_refused_and_infeasible_trials() -> None:
    study = optuna.create_study(directions=["maximize", "minimize", "minimize"])
    for number in range(24):
        study.sampler = make_sampler(TABLES[0], 1, number)
        trial = study.ask()
        SPACE.suggest(trial)
        trial.set_constraint("accuracy", 0.1 if number % 3 else -0.1)
        if number % 4 == 0:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        elif number % 4 == 1:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, [number / 100, 1000.0, 5.0])
    assert len(study.trials) == 24


def test_trial_seed_is_what_keras_and_sklearn_take() -> None:
    seeds = [trial_seed(study_seed, number) for study_seed in (0, 1, 2**31 - 1) for number in range(500)]
    assert all(type(seed) is int and 0 <= seed < 2**31 for seed in seeds)
    assert len(set(seeds)) == len(seeds)
    assert trial_seed(1, 7) == trial_seed(1, 7)
