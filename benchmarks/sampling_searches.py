"""Searches of a table, one trial after the other: with Optuna's samplers as its users do, and as tunefront does."""

from __future__ import annotations

import math
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna._transform import _SearchSpaceTransform
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIIISampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import TrialState
from pydantic import TypeAdapter
from sampling_tables import Table
from scipy.stats import qmc

from tunefront.objectives.dominance import dominating
from tunefront.search.sampling.drawn_trial import draw
from tunefront.search.sampling.grouped_tpe import SeenTrials
from tunefront.search.sampling.samplers import make_sampler, most_again
from tunefront.search.sampling.seeds import seed_again
from tunefront.search.sampling.trial_source import TrialSource
from tunefront.search.sampling.tried_candidates import TriedCandidates
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.tables import SamplerTable
from tunefront.spaces.parameters import SteeredTrial
from tunefront.storage import queue, studies
from tunefront.storage.database.connection import open_store
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

_MOST_DIMENSIONS = 128  # of a start-up by a sequence: more parameters than any table has


class Conditions(NamedTuple):
    """How trials run.

    Attributes:
        has_limits: Whether no objective may be worse than its median.
        n_workers: Trials that run at a time; the one that began first ends first.
        has_stops: Whether a trial that a complete one beats in everything is stopped, and its values stay unknown.
    """

    has_limits: bool = False
    n_workers: int = 1
    has_stops: bool = False


Search = Callable[[Table, int, Conditions], Iterator[int]]  # table, seed, conditions -> the networks in their order


class _Trials:
    """The trials of a search, and how they end."""

    def __init__(self, table: Table, conditions: Conditions) -> None:
        self.study = optuna.create_study(directions=list(table.directions))
        self.places: list[int] = []
        self._table, self._conditions = table, conditions
        self._running: deque[tuple[optuna.Trial, int]] = deque()
        self._complete: list[int] = []

    def begin(self, trial: optuna.Trial, place: int) -> None:
        """Let a trial run with its network, and the first one end if no other could begin."""
        self.places.append(place)
        self._running.append((trial, place))
        if len(self._running) == self._conditions.n_workers:
            self._end(*self._running.popleft())

    def _end(self, trial: optuna.Trial, place: int) -> None:
        if self._conditions.has_limits:
            for number, beyond in enumerate(self._table.violations(place)):
                trial.set_constraint(str(number), float(beyond))
        values, directions = self._table.values, self._table.directions
        if self._conditions.has_stops and dominating(values[place].tolist(), values[self._complete], directions).any():
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, values[place].tolist())
            self._complete.append(place)


def with_optuna(make: Callable[[int], BaseSampler], table: Table, seed: int, conditions: Conditions) -> Iterator[int]:
    """Search with a sampler of Optuna's."""
    trials = _Trials(table, conditions)
    study = trials.study
    study.sampler = make(seed)
    while True:
        trial = study.ask()
        table.space.suggest(trial)
        place = table.find(trial.params, trial.distributions, trials.places)
        if dict(trial.params) != table.parameters[place]:
            trial = _run_instead(study, table, trial, place)
        trials.begin(trial, place)
        yield place


def _run_instead(study: optuna.Study, table: Table, asked: optuna.Trial, place: int) -> optuna.Trial:
    """Return a trial of the nearest recorded network; what was asked for failed, so that samplers ignore it."""
    study.tell(asked, state=TrialState.FAIL)
    study.enqueue_trial(dict(table.parameters[place]))
    trial = study.ask()
    table.space.suggest(trial)
    return trial


class SequenceSampler(RandomSampler):
    """A sampler of one trial that takes a point of a scrambled Sobol sequence, a dimension for each parameter.

    Args:
        number: The number of the point.
        dimensions: The dimensions of the parameters that were met, which grows.
    """

    def __init__(self, seed: int, number: int, dimensions: dict[str, int]) -> None:
        super().__init__(seed=seed)
        sequence = qmc.Sobol(_MOST_DIMENSIONS, scramble=True, rng=seed)
        self._point = sequence.random(2 ** math.ceil(math.log2(number + 1)))[number]
        self._dimensions = dimensions

    def sample_independent(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        place = self._point[self._dimensions.setdefault(param_name, len(self._dimensions))]
        if isinstance(param_distribution, CategoricalDistribution):
            return param_distribution.choices[int(place * len(param_distribution.choices))]
        transform = _SearchSpaceTransform({param_name: param_distribution}, transform_0_1=True)
        return transform.untransform(np.array([place]))[param_name]


class ChildSampler(RandomSampler):
    """A sampler of one trial that is a child of two trials of the front, as NSGA-II makes one by uniform crossover.

    Each parameter is one parent's, or random with a chance of one over their number.
    """

    def __init__(self, seed: int, study: optuna.Study) -> None:
        super().__init__(seed=seed)
        self._random = np.random.default_rng(seed)
        front = [trial.params for trial in study.best_trials]
        self._parents = [front[place] for place in self._random.integers(len(front), size=2)]

    def sample_independent(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        parent = self._parents[self._random.integers(2)]
        if param_name in parent and self._random.random() >= 1 / len(parent):
            return parent[param_name]
        return super().sample_independent(study, trial, param_name, param_distribution)


def with_tunefront(
    settings: Mapping[str, Any],
    table: Table,
    seed: int,
    conditions: Conditions,
    *,
    n_from_sequence: int = 0,
    n_before_children: int | None = None,
) -> Iterator[int]:
    """Search as tunefront does, in memory: a trial has its own sampler, and what was tried is drawn again.

    Args:
        n_from_sequence: The trials at the beginning that a scrambled Sobol sequence draws, which tunefront does not.
        n_before_children: The trials after which all are children of the front, which tunefront does not; None for all.
    """
    sampler_table: SamplerTable = TypeAdapter(SamplerTable).validate_python(settings)
    seen, tried = SeenTrials(), TriedCandidates(table.space)  # type: ignore[arg-type]
    trials = _Trials(table, conditions)
    dimensions: dict[str, int] = {}
    while True:
        number = len(trials.places)
        trials.study.sampler = make_sampler(sampler_table, seed, number, seen=seen, space=table.space)  # type: ignore[arg-type]
        if number < n_from_sequence:
            trials.study.sampler = SequenceSampler(seed, number, dimensions)
        if n_before_children is not None and number >= n_before_children:
            trials.study.sampler = ChildSampler(seed_again(seed, number, 0), trials.study)
        trial = trials.study.ask()
        candidate: SteeredTrial = draw(table.space, trial, trials.study.sampler, {})  # type: ignore[arg-type]
        if not settings.get("repeats") and table.is_whole:
            tried.meet(table.parameters[place] for place in trials.places[-1:])
            first, n_before, most = candidate, 0, most_again(sampler_table)
            while candidate in tried and n_before < most:
                n_before += 1
                again = make_sampler(sampler_table, seed, number, seen=seen, n_before=n_before, space=table.space)  # type: ignore[arg-type]
                candidate = draw(table.space, trial, again, {}, again=True)  # type: ignore[arg-type]
            if candidate in tried:
                random = np.random.default_rng(seed_again(seed, number, most + 1))
                candidate = tried.nearest_untried(first, random) or first
        place = table.find(candidate.params, candidate.distributions, trials.places)
        trial._fixed_params = dict(table.parameters[place])
        table.space.suggest(trial)
        trials.begin(trial, place)
        yield place


def with_store(settings: Mapping[str, Any], table: Table, seed: int, n_trials: int) -> list[int]:
    """Search through tunefront's store and its own source of trials: what `with_tunefront` must find."""
    spec = StudySpec.model_validate(
        {"name": "n", "seed": seed, "trials": n_trials, "data": {"source": "digits"}, "sampler": {**settings}}
    )
    places = []
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'tunefront.db'}", is_writer=True)
        measures = ("accuracy", "predict_ms", "model_bytes")
        made = studies.create(store, "n", spec.as_json(), {}, table.directions, measures)
        study = OpenStudy(store, made.record)
        source = TrialSource(study, spec, table.space, "benchmark")  # type: ignore[arg-type]
        for _ in range(n_trials):
            leased = source.lease("slot")
            assert leased is not None
            lease, trial = leased
            source.suggest(trial)
            places.append(table.find(trial.params, trial.distributions, places))
            queue.finish(study, lease, Outcome.COMPLETE, values=table.values[places[-1]].tolist())
        store.engine.dispose()
    return places


NEED_TORCH = {"gp", "tunefront_gp"}
SAMPLERS: Mapping[str, tuple[str, Search]] = {
    "random": ("random draws", partial(with_optuna, lambda seed: RandomSampler(seed=seed))),
    "tpe": ("Optuna's default TPE", partial(with_optuna, lambda seed: TPESampler(seed=seed))),
    "nsga2": ("Optuna's NSGA-II", partial(with_optuna, lambda seed: NSGAIISampler(seed=seed))),
    "nsga3": ("Optuna's NSGA-III", partial(with_optuna, lambda seed: NSGAIIISampler(seed=seed))),
    "gp": (
        "Optuna's GP, with PyTorch",
        partial(with_optuna, lambda seed: GPSampler(seed=seed, warn_independent_sampling=False)),
    ),
    "tunefront": ("tunefront", partial(with_tunefront, {"name": "tpe"})),
    "sobol": ("tunefront, first 10 of a sequence", partial(with_tunefront, {"name": "tpe"}, n_from_sequence=10)),
    "children": (
        "tunefront, children of the front from 50 on",
        partial(with_tunefront, {"name": "tpe"}, n_before_children=50),
    ),
    **{
        name: (f"tunefront, {title}", partial(with_tunefront, settings))
        for name, title, settings in (
            ("repeats", "with repeats", {"name": "tpe", "repeats": True}),
            ("startup5", "n_startup_trials = 5", {"name": "tpe", "n_startup_trials": 5}),
            ("startup20", "n_startup_trials = 20", {"name": "tpe", "n_startup_trials": 20}),
            ("candidates100", "n_ei_candidates = 100", {"name": "tpe", "n_ei_candidates": 100}),
            ("univariate", "multivariate = false", {"name": "tpe", "multivariate": False, "group": False}),
            ("hypervolume", "hypervolume", {"name": "hypervolume"}),
            ("tunefront_gp", "gp, with PyTorch", {"name": "gp"}),
        )
    },
}
