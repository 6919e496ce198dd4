"""Whether trainings had their machine to themselves, so that their times are true."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reports.front import StudyResults
from storage import TrialRecord, WorkerRecord


def is_shared(trainings: Sequence[TrialRecord], workers: Sequence[WorkerRecord], results: StudyResults) -> bool:
    """Whether a training overlapped in time with another one, or with a trial of the search, on one machine."""
    hosts = {worker.worker_id: worker.host for worker in (*workers, *results.workers)}
    spans = sorted(
        (hosts.get(trial.worker_id, trial.worker_id), trial.started_at, trial.ended_at or math.inf, is_training)
        for trials_of_one, is_training in ((trainings, True), (results.trials, False))
        for trial in trials_of_one
        if trial.started_at is not None and (trial.ended_at is not None or trial.state == "running")
    )
    busy_until: dict[tuple[str, bool], float] = {}
    for host, start, end, is_training in spans:
        if start < busy_until.get((host, True), 0.0):
            return True
        if is_training and start < busy_until.get((host, False), 0.0):
            return True
        busy_until[host, is_training] = max(end, busy_until.get((host, is_training), 0.0))
    return False
