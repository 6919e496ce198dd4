"""The workers of a study that are processes of this machine: which of them have ended, and which live."""

from __future__ import annotations

from tunefront.search.launching import machine
from tunefront.storage import studies
from tunefront.storage.control.processes import list_processes
from tunefront.storage.open_study import OpenStudy


def ended_workers(study: OpenStudy) -> list[str]:
    """Return the identifiers of this machine's supervisors that have ended, or were killed."""
    return _by_life(study)[False]


def ended_and_living_workers(study: OpenStudy) -> tuple[list[str], list[str]]:
    """Return the identifiers of this machine's supervisors that have ended, and of those that live."""
    by_life = _by_life(study)
    return by_life[False], by_life[True]


def _by_life(study: OpenStudy) -> dict[bool, list[str]]:
    here = machine.host_key()
    # The process of a run from Python lives on.
    has_ended = {process.process_id for process in list_processes(study.store) if process.ended_at is not None}
    found: dict[bool, list[str]] = {False: [], True: []}
    for worker in studies.list_workers(study):
        if worker.host == here:
            lives = worker.worker_id not in has_ended and machine.is_alive(worker.pid, worker.machine)
            found[lives].append(worker.worker_id)
    return found
