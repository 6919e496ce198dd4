"""The samplers by name, used as by a supervisor: one for each trial, with all its memory in the store."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from tunefront.search.sampling.samplers import make_sampler, missing_extra
from tunefront.search.spec.tables import (
    BohbTable,
    CmaEsTable,
    GpTable,
    HypervolumeTable,
    Nsga2Table,
    Nsga3Table,
    QmcTable,
    RandomTable,
    SamplerTable,
    TpeTable,
)
from tunefront.spaces.parameters import parameters_of
from tunefront.spaces.space import Space
from tunefront.storage import constraints

needs_cmaes = pytest.mark.skipif(find_spec("cmaes") is None, reason="needs tunefront[cmaes]")
needs_gp = pytest.mark.skipif(find_spec("torch") is None, reason="needs tunefront[gp]")

SPACE = Space.from_table({})
DISTRIBUTIONS = parameters_of(SPACE).distributions
CMAES = pytest.param(CmaEsTable(population_size=4), marks=needs_cmaes, id="cmaes")
GP = pytest.param(GpTable(n_startup_trials=5), marks=[needs_gp, pytest.mark.slow], id="gp")
LIGHT = [
    pytest.param(table, id=table.name)
    for table in (
        RandomTable(),
        QmcTable(),
        TpeTable(),
        HypervolumeTable(n_candidates=20),
        BohbTable(),
        Nsga2Table(population_size=4),
        Nsga3Table(population_size=4),
    )
]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # every user would read a sampler's warnings
        yield


def constrain(trial: optuna.Trial, violation: float) -> None:
    """Store a violation as the store does, see tunefront.storage.constraints."""
    trial.study._storage.set_trial_system_attr(trial._trial_id, constraints.KEY, [violation])


def drawn(
    table: SamplerTable, study_seed: int, number: int, n_finished: int = 0, n_objectives: int = 3
) -> dict[str, Any]:
    """Return the parameters that a trial of that number draws in a study where others have finished."""
    study = optuna.create_study(directions=["maximize", "minimize", "minimize"][:n_objectives])
    for index in range(n_finished):
        study.sampler = make_sampler(table, study_seed, index, DISTRIBUTIONS, space=SPACE)
        trial = study.ask()
        SPACE.suggest(trial)
        study.tell(trial, [index / 100, 1000.0 - index, 5.0][:n_objectives])
    study.sampler = make_sampler(table, study_seed, number, DISTRIBUTIONS, space=SPACE)
    trial = study.ask()
    SPACE.suggest(trial)
    return trial.params


@pytest.mark.parametrize("n_finished", [0, 15])
@pytest.mark.parametrize("table", LIGHT)
def test_a_trial_draws_the_same_candidate_when_it_is_drawn_again(table: SamplerTable, n_finished: int) -> None:
    assert drawn(table, 1, 20, n_finished) == drawn(table, 1, 20, n_finished)


@needs_gp
@pytest.mark.slow
def test_gp_draws_the_same_candidate_when_it_is_drawn_again() -> None:
    table = GpTable(n_startup_trials=5)
    assert drawn(table, 1, 20, 6, n_objectives=1) == drawn(table, 1, 20, 6, n_objectives=1)


@needs_cmaes
def test_cmaes_draws_the_same_candidate_when_it_is_drawn_again() -> None:
    table = CmaEsTable(population_size=4)
    assert drawn(table, 1, 20, 15, n_objectives=1) == drawn(table, 1, 20, 15, n_objectives=1)


@pytest.mark.parametrize("table", [RandomTable(), TpeTable(), Nsga2Table()], ids=lambda table: table.name)
def test_each_trial_draws_another_candidate(table: SamplerTable) -> None:
    assert len({str(drawn(table, 1, number)) for number in range(12)}) == 12


@pytest.mark.parametrize("table", LIGHT)
def test_another_study_seed_draws_other_candidates(table: SamplerTable) -> None:
    assert drawn(table, 1, 0) != drawn(table, 2, 0)


@pytest.mark.parametrize("table", [*LIGHT, GP, CMAES])
def test_a_sampler_bears_pruned_refused_failed_and_infeasible_trials(table: SamplerTable) -> None:
    is_single = isinstance(table, CmaEsTable)
    study = optuna.create_study(directions=["maximize"] if is_single else ["maximize", "minimize", "minimize"])
    for number in range(12 if isinstance(table, GpTable) else 24):
        study.sampler = make_sampler(table, 1, number, DISTRIBUTIONS, space=SPACE)
        trial = study.ask()
        SPACE.suggest(trial)
        study.sampler = optuna.samplers.RandomSampler()  # like TrialSource: CmaEsSampler would warn of constraints
        if number % 4 != 1:
            constrain(trial, 0.1 if number % 3 else -0.1)
        if number % 4 == 0:
            study.tell(trial, state=TrialState.PRUNED)
        elif number % 4 == 1:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, [number / 100, 1000.0, 5.0][: 1 if is_single else 3])
    assert len(study.trials) in (12, 24)


# Which samplers limits steer: x is better the higher, and must not be above a half


def share_within(table: SamplerTable, n_trials: int, *, has_limit: bool) -> float:
    """Return the share of the second half of the trials that keeps the limit."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    xs = []
    for number in range(n_trials):
        study.sampler = make_sampler(table, 3, number, {})
        trial = study.ask()
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
        xs.append(x)
        if has_limit:
            constrain(trial, x - 0.5)
        study.tell(trial, [x, y])
    return float(np.mean(np.array(xs[n_trials // 2 :]) <= 0.5))


@pytest.mark.parametrize(
    ("table", "n_trials", "is_steered"),
    [
        pytest.param(RandomTable(), 60, False, id="random"),
        pytest.param(QmcTable(), 60, False, id="qmc"),
        pytest.param(TpeTable(), 60, True, id="tpe"),
        pytest.param(Nsga2Table(population_size=8), 60, True, id="nsga2"),
        pytest.param(Nsga3Table(population_size=8), 60, True, id="nsga3"),
        pytest.param(GpTable(n_startup_trials=8), 16, True, marks=[needs_gp, pytest.mark.slow], id="gp"),
    ],
)
def test_limits_steer(table: SamplerTable, n_trials: int, is_steered: bool) -> None:
    gained = share_within(table, n_trials, has_limit=True) - share_within(table, n_trials, has_limit=False)
    assert (gained > 0.3) == is_steered, gained


@needs_cmaes
def test_limits_do_not_steer_cmaes() -> None:
    study = optuna.create_study(direction="maximize")
    xs = []
    for number in range(60):
        study.sampler = make_sampler(CmaEsTable(population_size=6), 3, number)
        trial = study.ask()
        xs.append(trial.suggest_float("x", 0, 1))
        trial.suggest_float("y", 0, 1)
        constrain(trial, xs[-1] - 0.5)
        study.sampler = optuna.samplers.RandomSampler()
        study.tell(trial, xs[-1])
    assert np.mean(np.array(xs[-20:]) > 0.5) > 0.8  # it follows the objective, and does not know the limit


# What each remembers in the store, though every trial has a sampler of its own


def ask_together(study: optuna.Study, table: SamplerTable, number: int, n_objectives: int) -> optuna.Trial:
    study.sampler = make_sampler(table, 1, number, DISTRIBUTIONS, space=SPACE)
    trial = study.ask()
    SPACE.suggest(trial)
    return trial


@pytest.mark.parametrize(
    "table", [Nsga2Table(population_size=6), Nsga3Table(population_size=6)], ids=["nsga2", "nsga3"]
)
def test_generations_advance_with_four_workers(table: SamplerTable) -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    running = [ask_together(study, table, number, 2) for number in range(4)]
    for number in range(4, 40):
        study.tell(running.pop(0), [number % 7 / 10, float(number % 5)])
        running.append(ask_together(study, table, number, 2))
    key = f"{'NSGAIISampler' if table.name == 'nsga2' else 'NSGAIIISampler'}:generation"
    generations = [trial.system_attrs[key] for trial in study.trials]
    assert generations == sorted(generations)
    assert generations[-1] >= 3


@needs_cmaes
def test_cmaes_advances_with_two_workers() -> None:
    study = optuna.create_study(direction="minimize")
    space = Space.from_table({"optimizer": "adam", "augmentation": "none", "batch_size": 32})

    def ask(number: int) -> optuna.Trial:
        study.sampler = make_sampler(CmaEsTable(population_size=5), 1, number)
        trial = study.ask()
        space.suggest(trial)
        study.sampler = optuna.samplers.RandomSampler()
        return trial

    running = [ask(0), ask(1)]
    for number in range(2, 32):
        ended = running.pop(0)
        study.tell(ended, abs(np.log(ended.params["adam.learning_rate"] / 0.003)))
        running.append(ask(number))
    generations = [trial.system_attrs.get("cma:generation", 0) for trial in study.trials]
    assert max(generations) >= 3
    first, last = (
        [trial.value for trial in study.trials[part] if trial.value] for part in (slice(8), slice(-10, None))
    )
    assert np.mean(last) < np.mean(first)
    assert len({str(trial.params) for trial in study.trials}) == 32


def test_a_qmc_sequence_spreads_from_the_first_trial_on() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    trials = [ask_together(study, QmcTable(), number, 2) for number in range(32)]
    assert len({str(trial.params) for trial in trials}) == 32
    batch_sizes = [trial.params["training.batch_size"] for trial in trials]
    counts = [batch_sizes.count(size) for size in (32, 64, 128)]
    assert max(counts) - min(counts) <= 2  # random draws spread by about 5
    rates = [np.log(trial.params["plain_cnn.filters"]) for trial in trials]
    assert np.histogram(rates, bins=4)[0].min() >= 6


def test_a_qmc_sequence_takes_no_notice_of_which_trial_ends_first() -> None:
    drawn_by_order = []
    for order in (1, -1):
        study = optuna.create_study(directions=["maximize", "minimize"])
        first = [ask_together(study, QmcTable(), number, 2) for number in range(4)]
        for trial in first[::order]:
            study.tell(trial, [0.5, 1.0])
            ask_together(study, QmcTable(), len(study.trials), 2)
        drawn_by_order.append([trial.params for trial in study.trials])
    assert drawn_by_order[0] == drawn_by_order[1]


def test_what_is_missing_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunefront.search.sampling.samplers.importlib.util.find_spec", lambda name: None)
    assert missing_extra(GpTable()) == "the sampler 'gp' needs the package torch: pip install 'tunefront[gp]'"
    assert "tunefront[cmaes]" in missing_extra(CmaEsTable())
    assert missing_extra(TpeTable()) == ""
