"""The samplers of Optuna by name."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, QMCSampler, RandomSampler
from optuna.trial import FrozenTrial

from tunefront.search.sampling import grouped_tpe
from tunefront.search.sampling.grouped_tpe import GroupedTpeSampler, SeenTrials
from tunefront.search.sampling.population.member_sampler import MemberSampler
from tunefront.search.sampling.seeds import seed_again
from tunefront.search.sampling.surrogate.hypervolume_sampler import HypervolumeSampler
from tunefront.search.spec.tables import (
    BohbTable,
    CmaEsTable,
    GpTable,
    GridTable,
    HypervolumeTable,
    Nsga2Table,
    Nsga3Table,
    PbtTable,
    QmcTable,
    RandomTable,
    SamplerTable,
    TpeTable,
)
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.space import Space

_EXTRAS = {"gp": "torch", "cmaes": "cmaes"}
_MOST_AGAIN = 20


def missing_extra(table: SamplerTable) -> str:
    """Return what to install before this sampler can be used; empty if nothing is missing."""
    package = _EXTRAS.get(table.name)
    if package is None or importlib.util.find_spec(package) is not None:
        return ""
    return f"the sampler {table.name!r} needs the package {package}: pip install 'tunefront[{table.name}]'"


def most_again(table: SamplerTable) -> int:
    """Return how often a trial draws again whose candidate was tried, before that gives way to its nearest neighbour.

    `gp` searches for the maximum of a function, which another seed mostly finds again. Each draw takes it up to
    seconds, under the study's lock.
    """
    return 1 if isinstance(table, GpTable) else _MOST_AGAIN


def make_sampler(
    table: SamplerTable,
    study_seed: int,
    number: int,
    distributions: Mapping[str, BaseDistribution] | None = None,
    seen: SeenTrials | None = None,
    n_before: int = 0,
    space: Space | OwnSpace | None = None,
) -> BaseSampler:
    """Make a sampler for one trial.

    Each trial has its own sampler, seeded by its number, because one seed for a whole run would draw the same
    candidates again in every worker and after every restart. What a sampler must know of other trials (a
    generation, CMA-ES's state, the place in a sequence) is in the store.

    Args:
        distributions: The distributions of all parameters of the space: the dimensions of a QMC sequence.
        seen: What the samplers of earlier trials have prepared, which saves time alone.
        n_before: How often this trial has drawn before, which was a repeated candidate each time.
        space: The space, from which a sampler that scores candidates draws them.
    """
    seed = seed_again(study_seed, number, n_before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        match table:
            case RandomTable() | GridTable() | PbtTable():
                return _make_random(table, study_seed, number, seed)
            case QmcTable():
                return _make_qmc(table, study_seed, seed, distributions or {})
            case TpeTable() | BohbTable():
                return _make_tpe(table, seed, SeenTrials() if seen is None else seen)
            case HypervolumeTable():
                assert space is not None
                return HypervolumeSampler(space, seed, table.n_startup_trials, table.n_candidates)
            case Nsga2Table() | Nsga3Table():
                return _make_genetic(table, seed)
            case GpTable() | CmaEsTable():
                return _make_of_extra(table, seed)


def _make_random(table: RandomTable | GridTable | PbtTable, study_seed: int, number: int, seed: int) -> BaseSampler:
    if isinstance(table, PbtTable):
        return MemberSampler(study_seed, number, table.population)
    return RandomSampler(seed=seed)  # a grid's points are queued, see spaces/grid.py


def _make_tpe(table: TpeTable | BohbTable, seed: int, seen: SeenTrials) -> BaseSampler:
    if table.group and table.constant_liar and grouped_tpe.is_known():
        return GroupedTpeSampler(seen, seed, table.n_startup_trials, table.n_ei_candidates)
    return optuna.samplers.TPESampler(
        seed=seed,
        n_startup_trials=table.n_startup_trials,
        n_ei_candidates=table.n_ei_candidates,
        multivariate=table.multivariate,
        group=table.group,  # settings of an architecture or optimizer exist only if it was chosen
        constant_liar=table.constant_liar,
    )


def _make_of_extra(table: GpTable | CmaEsTable, seed: int) -> BaseSampler:
    if isinstance(table, GpTable):
        return optuna.samplers.GPSampler(
            seed=seed,
            n_startup_trials=table.n_startup_trials,
            deterministic_objective=table.deterministic_objective,
            warn_independent_sampling=False,
        )
    return optuna.samplers.CmaEsSampler(
        seed=seed,
        n_startup_trials=table.n_startup_trials,
        popsize=table.population_size,
        with_margin=table.with_margin,
        warn_independent_sampling=False,
    )


def _make_genetic(table: Nsga2Table | Nsga3Table, seed: int) -> BaseSampler:
    shared: dict[str, Any] = {
        "seed": seed,
        "population_size": table.population_size,
        "mutation_prob": table.mutation_probability,
        "crossover_prob": table.crossover_probability,
        "swapping_prob": table.swapping_probability,
    }
    if isinstance(table, Nsga2Table):
        return optuna.samplers.NSGAIISampler(**shared)
    return optuna.samplers.NSGAIIISampler(dividing_parameter=table.dividing_parameter, **shared)


def _make_qmc(
    table: QmcTable, study_seed: int, seed: int, distributions: Mapping[str, BaseDistribution]
) -> BaseSampler:
    return _WholeSpaceQmc(
        distributions,
        qmc_type=table.sequence,
        scramble=table.scramble,
        seed=study_seed,  # one sequence for all workers
        independent_sampler=RandomSampler(seed=seed),  # a sampler for each trial draws what the sequence lacks
        warn_independent_sampling=False,
    )


class _WholeSpaceQmc(QMCSampler):
    """A QMC sequence over every parameter of the space, from the first trial on.

    Optuna takes the parameters of the finished trial with the lowest number as dimensions. With parallel workers that
    trial changes while the first trials end, and with conditional parameters the dimensions change too. The sequence
    then begins again, and points come twice. Here a candidate skips the dimensions that it does not have.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution], **settings: Any) -> None:
        super().__init__(**settings)
        self._distributions = {name: found for name, found in distributions.items() if not found.single()}

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return dict(self._distributions)
