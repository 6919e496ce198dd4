"""The end of a search: it has its trials, gives up, runs out of time, or its front no longer grows.

The front grows when a trial comes on it: the trial is complete, keeps the limits, and no earlier one is at least as
good on every objective. Exactly then the hypervolume grows, whatever the reference point, so none is needed here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import TrialState

from tunefront.objectives.dominance import losses, on_front
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import Direction
from tunefront.search.sampling.trial_source import TrialSource
from tunefront.search.spec.tables import GridTable
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import studies
from tunefront.storage.counts import Counts, finished_numbers
from tunefront.storage.refused_candidates import queued_again
from tunefront.storage.studies import WorkerRecord
from tunefront.storage.trials import is_feasible

_REFRESH_SECONDS = 15.0  # the interval at which supervisors note that they are alive


class StudyEnd:
    """Tells a supervisor whether the study is over.

    Args:
        source: Knows whether any candidate is left.
        clock: The clock of this supervisor, in seconds.
    """

    def __init__(
        self,
        assignment: Assignment,
        source: TrialSource,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._assignment = assignment
        self._source = source
        self._clock = clock
        self._started_at = clock()
        self._workers: Sequence[WorkerRecord] = ()
        self._refreshed_at = -np.inf
        self._growth = (-1, 0)  # finished trials, and how many of them came after the last growth

    def ending(self, counts: Counts) -> Ending | None:
        """Return why no further trial is to be started; None if one is to be started."""
        spec = self._assignment.spec
        if counts.failed > spec.max_failures:
            return Ending.TOO_MANY_FAILURES
        if counts.refused > spec.max_refusals and self._n_refused_now(counts.refused) > spec.max_refusals:
            return Ending.TOO_MANY_REFUSALS
        # A confirmation trains chosen candidates, not sampled ones. A failed training therefore counts as ended, and
        # so does a cancelled one.
        n_ended = counts.finished + (counts.failed + counts.cancelled if spec.confirms else 0)
        if n_ended >= spec.trials:
            return Ending.DONE
        if self._has_stopped_growing(counts.finished):
            return Ending.NO_GROWTH
        if counts.running or counts.waiting or not self._source.is_exhausted():
            return None
        return Ending.GRID_DONE if isinstance(spec.sampler, GridTable) else Ending.SPACE_DONE

    def _n_refused_now(self, n_refused: int) -> int:
        """Return the number of refused trials, without those that were queued again when limits changed."""
        return n_refused - len(queued_again(self._assignment.study.optuna.get_trials(deepcopy=False)))

    def is_out_of_time(self) -> bool:
        """Return whether the search has used up its time; time in which several supervisors worked counts once."""
        limit = self._assignment.spec.stop.time_limit
        if limit is None:
            return False
        now = self._clock()
        if now - self._refreshed_at >= _REFRESH_SECONDS:
            self._workers = studies.list_workers(self._assignment.study)
            self._refreshed_at = now
        return search_seconds(self._workers, self._assignment.worker_id, now - self._started_at) >= limit

    def _has_stopped_growing(self, n_finished: int) -> bool:
        patience = self._assignment.spec.stop.patience
        if patience is None or n_finished < patience:
            return False
        if self._growth[0] != n_finished:
            order = finished_numbers(self._assignment.study)
            spec = self._assignment.spec
            objectives, extra = list(spec.parsed_objectives().values()), spec.extra_limits()
            self._growth = (n_finished, n_since_growth(self._assignment.study.optuna, order, objectives, extra))
        return self._growth[1] >= patience


def search_seconds(workers: Iterable[WorkerRecord], worker_id: str, own_seconds: float) -> float:
    """Return how long a study was worked on, whatever pauses there were, in seconds.

    Others count from their start to when they were last seen alive, on the database's clock.

    Args:
        worker_id: The worker that asks, which has worked for `own_seconds`.
    """
    spans = []
    own_start = None
    for worker in workers:
        if worker.worker_id == worker_id:
            own_start = worker.started_at
        else:
            spans.append((worker.started_at, worker.seen_at))
    if own_start is not None:
        spans.append((own_start, own_start + own_seconds))
    total, end = (0.0 if own_start is not None else own_seconds), -np.inf
    for start, stop in sorted(spans):
        total += max(stop - max(start, end), 0.0)
        end = max(end, stop)
    return total


def n_since_growth(
    study: optuna.Study, order: Iterable[int], objectives: Sequence[Objective], extra: Sequence[Objective] = ()
) -> int:
    """Count the trials that finished after the last one that came on the front; all of them if none did.

    Args:
        order: Numbers of the finished trials, in the order in which they finished.
        extra: Limits on measures that are no objectives.
    """
    trials = {trial.number: trial for trial in study.get_trials(deepcopy=False)}
    values = {
        number: trial.values
        for number, trial in trials.items()
        if trial.state == TrialState.COMPLETE and is_feasible(trial, objectives, extra)
    }
    directions = [objective.measure.direction for objective in objectives]
    return _n_since_growth([number for number in order if number in trials], values, directions)


def _n_since_growth(
    order: Iterable[int], values: Mapping[int, Sequence[float]], directions: Sequence[Direction]
) -> int:
    front: NDArray[np.float64] = np.empty((0, len(directions)))
    n_since = 0
    for number in order:
        point = np.array([values[number]]) if number in values else None
        if point is None or _is_reached(front, point, directions):
            n_since += 1
            continue
        front = np.vstack([front, point])
        front = front[on_front(front, directions)]
        n_since = 0
    return n_since


def _is_reached(front: NDArray[np.float64], point: NDArray[np.float64], directions: Sequence[Direction]) -> bool:
    """Return whether some point of the front is at least as good on every objective."""
    return bool((losses(front, directions) <= losses(point, directions)).all(axis=1).any())
