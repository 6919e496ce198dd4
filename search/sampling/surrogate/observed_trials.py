"""The trials of a study as a model of its objectives sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from tunefront.objectives.dominance import on_front

FIXED = "fixed_params"  # where Optuna keeps the values that a trial is to take
_MOST = 200  # complete trials that a model is made of; more cost too much
_MOST_OTHERS = 100  # stopped ones, and running ones: the latest
_FAR = 1.5  # times the distance between the quartiles: what is worse by more counts as that


@dataclass(frozen=True)
class ObservedTrials:
    """What is known of a study's trials.

    Attributes:
        complete: The parameters of n complete trials.
        losses: Their values so that less is better, shape (n, m): costs as logarithms, and no outliers.
        is_feasible: Whether each keeps all limits, shape (n,).
        stopped: The parameters of trials that were stopped early.
        running: The parameters of trials that run, as far as they are drawn.
        limited: Name of a limit -> the candidates that tell of it, and how far they break it.
        distributions: The distributions of all parameters.
        is_gain: Whether more is better for each objective, shape (m,).
    """

    complete: Sequence[Mapping[str, Any]]
    losses: NDArray[np.float64]
    is_feasible: NDArray[np.bool_]
    stopped: Sequence[Mapping[str, Any]]
    running: Sequence[Mapping[str, Any]]
    limited: Mapping[str, tuple[Sequence[Mapping[str, Any]], NDArray[np.float64]]]
    distributions: Mapping[str, BaseDistribution]
    is_gain: NDArray[np.bool_]

    @property
    def tried(self) -> list[Mapping[str, Any]]:
        return [*self.complete, *self.stopped, *self.running]

    def front(self) -> NDArray[np.bool_]:
        """Return which complete trials are on the front of those that keep the limits, shape (n,)."""
        mask = self.is_feasible.copy()
        mask[mask] = on_front(self.losses[mask], ["minimize"] * self.losses.shape[1])
        return mask


def observe(trials: Sequence[FrozenTrial], number: int, directions: Sequence[StudyDirection]) -> ObservedTrials:
    """Return what is known of the trials, but for that with this number, for which a candidate is to be chosen."""
    others = [trial for trial in trials if trial.number != number]
    complete = _chosen([trial for trial in others if trial.state == TrialState.COMPLETE], directions)
    stopped = [trial for trial in others if trial.state == TrialState.PRUNED][-_MOST_OTHERS:]
    told = [*complete, *stopped]
    names = sorted({name for trial in told for name in trial.constraints})
    limited = {name: [trial for trial in told if name in trial.constraints] for name in names}
    return ObservedTrials(
        [trial.params for trial in complete],
        _losses(complete, directions),
        np.array([all(beyond <= 0 for beyond in trial.constraints.values()) for trial in complete], dtype=bool),
        [trial.params for trial in stopped if all(beyond <= 0 for beyond in trial.constraints.values())],
        list(_running(others))[-_MOST_OTHERS:],
        {
            name: ([one.params for one in found], np.array([one.constraints[name] for one in found]))
            for name, found in limited.items()
        },
        {name: one for trial in others for name, one in trial.distributions.items()},
        np.array([direction == StudyDirection.MAXIMIZE for direction in directions]),
    )


def without_outliers(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values, shape (n, ...), with those that are far above most others brought near to these."""
    low, high = np.quantile(values, [0.25, 0.75], axis=0)
    result: NDArray[np.float64] = np.where(high > low, np.minimum(values, high + _FAR * (high - low)), values)
    return result


def _losses(trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection]) -> NDArray[np.float64]:
    values = np.array([trial.values for trial in trials], dtype=float).reshape(-1, len(directions))
    for column, direction in enumerate(directions):
        if direction == StudyDirection.MAXIMIZE:
            values[:, column] *= -1
        elif (values[:, column] > 0).all():
            values[:, column] = np.log(values[:, column])
    return without_outliers(values)


def _chosen(trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection]) -> Sequence[FrozenTrial]:
    """Return all trials, or of too many the front and others spread evenly over the search."""
    if len(trials) <= _MOST:
        return trials
    is_best = on_front(_losses(trials, directions), ["minimize"] * len(directions))
    best, others = np.flatnonzero(is_best)[-_MOST // 2 :], np.flatnonzero(~is_best)
    spread = others[np.linspace(0, len(others) - 1, min(_MOST - len(best), len(others)), dtype=int)]
    return [trials[place] for place in sorted({*best.tolist(), *spread.tolist()})]


def _running(trials: Sequence[FrozenTrial]) -> Iterator[Mapping[str, Any]]:
    for trial in trials:
        if trial.state == TrialState.RUNNING:
            parameters = {**trial.system_attrs.get(FIXED, {}), **trial.params}
            if parameters:
                yield parameters
