"""Trainings that shared their machine with others, so that their measured times are too long."""

from __future__ import annotations

from collections.abc import Sequence

from tunefront.reports.study_results import StudyResults
from tunefront.storage.studies import WorkerRecord
from tunefront.storage.trials import TrialRecord


def is_shared(trainings: Sequence[TrialRecord], workers: Sequence[WorkerRecord], results: StudyResults) -> bool:
    """Return whether a training overlapped in time with another one, or with a trial of the search, on a machine.

    A trial without an end is taken to have ended when its worker was last seen.
    """
    hosts = {worker.worker_id: _machine(worker) for worker in (*workers, *results.workers)}
    seen_at = {worker.worker_id: worker.seen_at for worker in (*workers, *results.workers)}
    spans = sorted(
        (
            hosts.get(trial.worker_id, trial.worker_id),
            trial.started_at,
            trial.ended_at or seen_at.get(trial.worker_id, trial.started_at),
            is_training,
        )
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


def _machine(worker: WorkerRecord) -> str:
    """Return the first word of a host, which names this boot of the machine; the second tells containers apart."""
    return worker.host.split()[0] if " pid:" in worker.host else worker.host
