"""The results of replays: means over repeats with intervals, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.dominance import on_front
from tunefront.objectives.tolerance import as_good
from tunefront.search.replay.clock import PlayedTrial
from tunefront.search.replay.recorded_table import RecordedTable
from tunefront.search.replay.strategies import Strategy

MEASURED = ("epochs_share", "simulated_hours", "hypervolume_share", "front_lost_share", "front_missed_share")
_N_RESAMPLES = 2000
_N_TIMES = 120


@dataclass(frozen=True)
class RepeatResult:
    """The result of one repeat of one strategy.

    Attributes:
        epochs_share: Trained epochs, divided by those that all its trials would have without stopping.
        hypervolume_share: Hypervolume of the complete trials, divided by that of the whole table.
        front_lost_share: Stopped trials of the table's front, divided by those that were tried.
        front_missed_share: Those of them for which no complete trial stands, divided by the same. One stands for
            another if it is nowhere worse by more than the objectives' tolerance. Where times are noisy, another
            recording of the same trials has another front, but hardly misses another part of it.
        times: Simulated hours at which the hypervolume grew.
        hypervolumes: The hypervolumes at these times.
    """

    epochs_share: float
    simulated_hours: float
    hypervolume_share: float
    front_lost_share: float
    front_missed_share: float
    times: NDArray[np.float64]
    hypervolumes: NDArray[np.float64]


def measure(table: RecordedTable, played: Sequence[PlayedTrial]) -> RepeatResult:
    """Measure what a replay used and reached; `played` is in the order of the ends."""
    members = [trial for trial in played if table.is_front[trial.candidate]]
    lost = [trial.candidate for trial in members if not trial.is_complete]
    kept = table.values[[trial.candidate for trial in played if trial.is_complete]]
    missed = [candidate for candidate in lost if not as_good(table.values[candidate], kept, table.objectives).any()]
    times, hypervolumes = _growth(table, played)
    return RepeatResult(
        epochs_share=sum(trial.epochs for trial in played) / (len(played) * table.epochs),
        simulated_hours=max(trial.ended_at for trial in played) / 3600,
        hypervolume_share=float(hypervolumes[-1]),
        front_lost_share=len(lost) / max(len(members), 1),
        front_missed_share=len(missed) / max(len(members), 1),
        times=times,
        hypervolumes=hypervolumes,
    )


def _growth(table: RecordedTable, played: Sequence[PlayedTrial]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    front: list[int] = []
    times, hypervolumes = [0.0], [table.hypervolume([])]
    for trial in played:
        if trial.is_complete:
            members = [*front, trial.candidate]
            mask = on_front(table.values[members], table.directions)
            if mask[-1]:
                front = [member for member, is_on in zip(members, mask, strict=True) if is_on]
                times.append(trial.ended_at / 3600)
                hypervolumes.append(table.hypervolume(front))
    return np.array(times), np.array(hypervolumes)


@dataclass(frozen=True)
class Interval:
    """A mean over repeats, and a 95 % bootstrap interval of that mean."""

    mean: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """Return plain data."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


def interval(values: Sequence[float] | NDArray[np.float64]) -> Interval:
    """Return the interval of one or more repeats; that of a single one has no width."""
    means = _resampled_means(np.asarray(values, dtype=float)[:, None])[:, 0]
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(np.mean(values)), float(low), float(high))


def _resampled_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return means of resamples of the rows of `values`, shape (n, k) -> (resamples, k), the same every time."""
    n = len(values)
    weights = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=_N_RESAMPLES)
    means: NDArray[np.float64] = weights @ values / n
    return means


@dataclass(frozen=True)
class ReplayResults:
    """The results of all repeats; repeat i has the same order of trials in every strategy that samples at random.

    Attributes:
        facts: Facts of the table and the replay, for readers of the results.
    """

    facts: Mapping[str, Any]
    outcomes: Mapping[Strategy, Sequence[RepeatResult]]

    def interval(self, strategy: Strategy, name: str) -> Interval:
        """Return the interval of one of :data:`MEASURED`."""
        return interval([getattr(outcome, name) for outcome in self.outcomes[strategy]])

    def as_json(self) -> dict[str, Any]:
        """Return plain data: facts, and for each strategy its intervals, curve over time and single repeats."""
        longest = max(outcome.simulated_hours for outcomes in self.outcomes.values() for outcome in outcomes)
        hours = np.linspace(0, longest, _N_TIMES)
        return {
            "facts": dict(self.facts),
            "strategies": [self._strategy_json(strategy, hours) for strategy in self.outcomes],
        }

    def _strategy_json(self, strategy: Strategy, hours: NDArray[np.float64]) -> dict[str, Any]:
        outcomes = self.outcomes[strategy]
        return {
            "name": strategy.name,
            "sampler": strategy.sampler,
            "pruner": strategy.pruner.name,
            "workers": strategy.n_workers,
            **{name: self.interval(strategy, name).as_json() for name in MEASURED},
            "hypervolume_over_time": _over_time(outcomes, hours),
            "repeats": {name: [getattr(outcome, name) for outcome in outcomes] for name in MEASURED},
        }


def _over_time(outcomes: Sequence[RepeatResult], hours: NDArray[np.float64]) -> dict[str, list[float]]:
    reached = np.array(
        [outcome.hypervolumes[np.searchsorted(outcome.times, hours, side="right") - 1] for outcome in outcomes]
    )
    low, high = np.quantile(_resampled_means(reached), [0.025, 0.975], axis=0)
    curves = {"hours": hours, "mean": reached.mean(axis=0), "low": low, "high": high}
    return {name: curve.tolist() for name, curve in curves.items()}
