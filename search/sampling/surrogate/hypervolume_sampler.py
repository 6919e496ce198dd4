"""A sampler that models the objectives, and takes the candidate that may add the most hypervolume to the front.

The idea is that of SMS-EGO (Ponweiser et al., "Multiobjective optimization on a limited budget of evaluations using
model-assisted S-metric selection", 2008): a Gaussian process for each objective, and of each candidate the values that
are optimistic by one standard deviation. Ours works in spaces whose parameters depend on choices, knows limits, stopped
and running trials, and chooses among drawn candidates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState
from scipy.special import ndtr

from tunefront.objectives.dominance import hypervolume, on_front
from tunefront.objectives.measures import Direction
from tunefront.search.sampling.surrogate.candidate_pool import CandidatePool
from tunefront.search.sampling.surrogate.differences import Differences
from tunefront.search.sampling.surrogate.gaussian_process import GaussianProcess
from tunefront.search.sampling.surrogate.observed_trials import FIXED, ObservedTrials, observe, without_outliers
from tunefront.search.sampling.surrogate.separation import Separation
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import SteeredTrial
from tunefront.spaces.space import Space

_MARGIN = 0.1  # of the range of each objective, by which the reference is behind the worst
_FEWEST = 4  # complete trials of a model
Parameters = Sequence[Mapping[str, Any]]


class HypervolumeSampler(BaseSampler):
    """The sampler of one candidate.

    Args:
        space: The space that candidates are drawn from.
        n_startup_trials: Trials, complete or stopped, before there is a model; until then, draws are independent.
        n_candidates: Candidates among which the best is chosen.
    """

    def __init__(self, space: Space | OwnSpace, seed: int, n_startup_trials: int, n_candidates: int) -> None:
        self._space = space
        self._random = np.random.default_rng(seed)
        self._independent = RandomSampler(seed=seed)
        self._n_startup_trials = n_startup_trials
        self._n_candidates = n_candidates
        self._chosen: Mapping[str, Any] = {}

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        trials = study.get_trials(deepcopy=False)
        states = Counter(one.state for one in trials)
        n_told = states[TrialState.COMPLETE] + states[TrialState.PRUNED]
        if n_told < self._n_startup_trials or states[TrialState.COMPLETE] < _FEWEST:
            return {}
        observed = observe(trials, trial.number, study.directions)
        front = [one for one, is_best in zip(observed.complete, observed.front(), strict=True) if is_best]
        fixed = trial.system_attrs.get(FIXED, {})
        pool = CandidatePool(self._space, fixed, self._random)
        candidates = pool.draw(front, observed.tried, self._n_candidates)
        if not candidates:
            return {}
        best = candidates[int(np.argmax(scores(observed, candidates)))]
        self._chosen = best.params
        return {name: one for name, one in best.distributions.items() if not one.single()}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {name: self._chosen[name] for name in search_space}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._independent.sample_independent(study, trial, param_name, param_distribution)


def scores(observed: ObservedTrials, candidates: Sequence[SteeredTrial]) -> NDArray[np.float64]:
    """Return the hypervolume that each candidate may add, times the chance that it keeps the limits.

    Where nothing that was observed keeps the limits, the chance alone counts.
    """
    met = {name: one for candidate in candidates for name, one in candidate.distributions.items()}
    differences = Differences({**observed.distributions, **met})
    asked = [candidate.params for candidate in candidates]
    chances = _chances(observed, differences, asked)
    if not observed.is_feasible.any():
        return chances
    optimistic, believed = _predictions(observed, differences, asked)
    known = np.vstack([observed.losses[observed.is_feasible], believed])
    return chances * added(known, optimistic, observed.losses)


def _predictions(
    observed: ObservedTrials, differences: Differences, asked: Parameters
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return optimistic losses of what is asked for, shape (k, m), and those that running trials are believed to get.

    A stopped trial would not come on the front: it is taken to be poor where more is better, and else as the model
    expects it.
    """
    unknown = [*observed.stopped, *observed.running]
    seen = [*observed.complete, *unknown]
    all_apart, n_complete = differences.between(seen, seen), len(observed.complete)
    within = Separation(all_apart[:, :n_complete, :n_complete])
    to_unknown = Separation(all_apart[:, n_complete:, :n_complete])
    of_all = Separation(all_apart)
    to_asked = Separation(differences.between(asked, seen))
    optimistic, believed = [], []
    n_stopped = len(observed.stopped)
    for column, is_gain in zip(observed.losses.T, _tells_why(observed.is_gain), strict=True):
        process = GaussianProcess(within, column)
        expected = process.predict(to_unknown)[0] if unknown else np.zeros(0)
        if is_gain:
            expected[:n_stopped] = np.maximum(expected[:n_stopped], np.quantile(column, 0.75))
        if unknown:
            process.observe(of_all, np.concatenate([column, expected]))
        mean, deviation = process.predict(to_asked)
        optimistic.append(mean - deviation)
        believed.append(expected[n_stopped:])
    return np.column_stack(optimistic), np.column_stack(believed)


def _tells_why(is_gain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the objectives for which a stopped trial is poor: those where more is better, or else the first one."""
    return is_gain if is_gain.any() else np.arange(len(is_gain)) == 0


def _chances(observed: ObservedTrials, differences: Differences, asked: Parameters) -> NDArray[np.float64]:
    chances = np.ones(len(asked))
    for candidates, beyond in observed.limited.values():
        if len(candidates) < 2:
            continue
        within = Separation(differences.between(candidates, candidates))
        process = GaussianProcess(within, without_outliers(beyond))
        mean, deviation = process.predict(Separation(differences.between(asked, candidates)))
        chances *= ndtr(-mean / deviation)
    return chances


def added(known: NDArray[np.float64], asked: NDArray[np.float64], observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the hypervolume that each of `asked` adds to `known`; the reference is behind the worst observed."""
    directions: Sequence[Direction] = ["minimize"] * known.shape[1]
    ranges = np.ptp(observed, axis=0)
    reference = observed.max(axis=0) + _MARGIN * np.where(ranges > 0, ranges, 1.0)
    front = known[on_front(known, directions)]
    before = hypervolume(front, reference.tolist(), directions)
    is_no_better: NDArray[np.bool_] = np.all(front[None] <= asked[:, None], axis=2)
    is_beaten = np.any(is_no_better, axis=1) | np.any(asked >= reference, axis=1)
    gained = np.zeros(len(asked))
    for place in np.flatnonzero(~is_beaten):
        gained[place] = hypervolume(np.vstack([front, asked[place]]), reference.tolist(), directions) - before
    return gained
