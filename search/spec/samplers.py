"""The [sampler] of a spec: each sampler by its name, with the settings that matter.

Settings that Optuna has deprecated (TPE's ``gamma``, CMA-ES's ``sigma0``, ...) are no keys here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tunefront.search.spec.table import Table, named

_MOST = 100_000  # trials that a sampler looks at together; more would fill the memory


class _DrawnTable(Table):
    """What all samplers know that draw candidates without a list of them.

    Attributes:
        repeats: Whether a candidate may come again that the study has tried already.
    """

    repeats: bool = False


class RandomTable(_DrawnTable):
    """Independent draws."""

    name: Literal["random"] = "random"


class GridTable(Table):
    """The grid: every combination once; the study ends with the last one."""

    name: Literal["grid"] = "grid"


class QmcTable(_DrawnTable):
    """A low-discrepancy sequence: spread more evenly than random draws.

    Attributes:
        scramble: Whether the study's seed shuffles the sequence; otherwise all studies have the same one.
    """

    name: Literal["qmc"] = "qmc"
    sequence: Literal["sobol", "halton"] = "sobol"
    scramble: bool = True


class _TpeSettings(_DrawnTable):
    """The settings of the tree-structured Parzen estimator.

    Attributes:
        multivariate: Whether parameters are sampled together.
        group: Whether the parameters of an architecture or optimizer are sampled together among trials that chose it.
        constant_liar: Whether running trials count as bad ones, so that workers do not try the same.
    """

    n_startup_trials: int = Field(default=10, ge=0, le=_MOST)
    n_ei_candidates: int = Field(default=24, ge=1, le=10_000)
    multivariate: bool = True
    group: bool = True
    constant_liar: bool = True

    @model_validator(mode="after")
    def _check_group(self) -> _TpeSettings:
        if self.group and not self.multivariate:
            raise ValueError("group = true needs multivariate = true: write group = false too")
        return self


class TpeTable(_TpeSettings):
    """The tree-structured Parzen estimator, Optuna's default; for one objective and for several."""

    name: Literal["tpe"] = "tpe"


class HypervolumeTable(_DrawnTable):
    """A model of the objectives, which takes the candidate that may add the most hypervolume to the front.

    Attributes:
        n_startup_trials: Trials, complete or stopped, before there is a model; until then, draws are independent.
        n_candidates: Candidates among which the best is chosen.
    """

    name: Literal["hypervolume"] = "hypervolume"
    n_startup_trials: int = Field(default=10, ge=0, le=_MOST)
    n_candidates: int = Field(default=400, ge=1, le=10_000)


class BohbTable(_TpeSettings):
    """The tree-structured Parzen estimator with Hyperband (Falkner et al., "BOHB", arXiv 1807.01774).

    It differs from the paper in what the estimator learns from: Optuna's ranks a pruned trial by its last epoch, where
    the paper fits one estimator to each budget.
    """

    name: Literal["bohb"] = "bohb"


class _GeneticTable(_DrawnTable):
    """The settings of genetic algorithms.

    Attributes:
        population_size: Trials of a generation. The first generation is random, so with Optuna's default of 50, a
            study of 30 trials would be random throughout.
        mutation_probability: The probability for each parameter; None mutates one parameter of a candidate on average.
    """

    population_size: int = Field(default=20, ge=2, le=_MOST)
    mutation_probability: float | None = Field(default=None, ge=0, le=1)
    crossover_probability: float = Field(default=0.9, ge=0, le=1)
    swapping_probability: float = Field(default=0.5, ge=0, le=1)


class Nsga2Table(_GeneticTable):
    """A genetic algorithm, made for several objectives."""

    name: Literal["nsga2"] = "nsga2"


class Nsga3Table(_GeneticTable):
    """A genetic algorithm with reference points instead of crowding distances.

    Attributes:
        dividing_parameter: The number of reference points on each side.
    """

    name: Literal["nsga3"] = "nsga3"
    dividing_parameter: int = Field(default=3, ge=1, le=100)


class GpTable(_DrawnTable):
    """Gaussian processes."""

    name: Literal["gp"] = "gp"
    n_startup_trials: int = Field(default=10, ge=1, le=_MOST)
    deterministic_objective: bool = False


class CmaEsTable(_DrawnTable):
    """CMA-ES, for one objective and numbers.

    Attributes:
        population_size: Trials of a generation; None lets the number of parameters decide.
    """

    name: Literal["cmaes"] = "cmaes"
    n_startup_trials: int = Field(default=1, ge=0, le=_MOST)
    population_size: int | None = Field(default=None, ge=2, le=_MOST)
    with_margin: bool = False


class PbtTable(Table):
    """Population-based training: members with one network go on with better members' weights (arXiv 1711.09846).

    Attributes:
        population: Members of a population. A study of more trials has several, each with a network of its own.
        interval: Epochs of a turn, after which members are compared.
        quantile: The share of members that are the best, and of those that are the worst, whose weights are replaced.
        low_factor: The factor that lowers a setting that went over.
        high_factor: The factor that raises it.
        resample_probability: The probability that such a setting is drawn anew instead.
    """

    name: Literal["pbt"] = "pbt"
    population: int = Field(default=8, ge=4, le=10_000)
    interval: int = Field(default=2, ge=1, le=1_000_000)
    quantile: float = Field(default=0.25, gt=0, le=0.5)
    low_factor: float = Field(default=0.8, gt=0, lt=1)
    high_factor: float = Field(default=1.2, gt=1, le=100)
    resample_probability: float = Field(default=0.25, ge=0, le=1)


SamplerTable = Annotated[
    Annotated[
        RandomTable
        | GridTable
        | QmcTable
        | TpeTable
        | HypervolumeTable
        | BohbTable
        | Nsga2Table
        | Nsga3Table
        | GpTable
        | CmaEsTable
        | PbtTable,
        Field(discriminator="name"),
    ],
    named("tpe"),
]
