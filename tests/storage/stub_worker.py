"""A worker without Keras, run as a process of its own: it leases trials, pretends to train, and finishes them."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

from tests.storage.study_fixture import MEASUREMENTS, StudyFixture, epoch
from tunefront.storage import curves
from tunefront.storage.database.connection import open_store
from tunefront.storage.database.patience import patiently
from tunefront.storage.outcomes import Outcome


@dataclass(frozen=True)
class StubWork:
    """The work of a stub worker.

    Attributes:
        folder: A folder with a file for each running trial, which has the worker's process number in it.
        start_at: The wall clock time at which all workers open the store at once.
        trial_seconds: The longest time that a trial takes.
        dead_workers: Workers of an earlier round, whose trials are given back at the start.
    """

    url: str
    worker_id: str
    n_trials: int
    folder: Path
    start_at: float
    trial_seconds: float = 0.01
    dead_workers: tuple[str, ...] = ()


def run_stub_study(work: StubWork) -> None:
    """Run trials until the study has all of them."""
    time.sleep(max(work.start_at - time.time(), 0))
    fixture = StudyFixture.on(
        open_store(work.url, is_writer=True)
    )  # all at once, so that their tables are made at once
    fixture.sweep(*work.dead_workers)
    delays = random.Random(work.worker_id)
    while patiently(fixture.counts).finished < work.n_trials:
        leased = fixture.try_lease(work.worker_id, work.n_trials)
        if leased is None:
            time.sleep(0.02)
            fixture.sweep()
            continue
        _run(work, fixture, leased, delays.uniform(0, work.trial_seconds))
    (work.folder / f"{work.worker_id}.done").touch()


def _run(work: StubWork, fixture: StudyFixture, leased: tuple, seconds: float) -> None:  # type: ignore[type-arg]
    lease, trial = leased
    claimed = _claim(work.folder, lease.number)
    rate = trial.suggest_float("adam.learning_rate", 1e-4, 1e-2, log=True)
    for number in (1, 2):
        time.sleep(seconds / 2)
        curves.append(fixture.store, lease, epoch(number, accuracy=rate))
    claimed.unlink()
    is_pruned = lease.number % 5 == 4
    measurements = {**MEASUREMENTS, "accuracy": rate}
    if not fixture.finish(leased, Outcome.PRUNED if is_pruned else Outcome.COMPLETE, measurements=measurements):
        (work.folder / f"refused-{lease.number}-{lease.attempt}").touch()


def _claim(folder: Path, number: int) -> Path:
    """Write that the trial runs here, and a conflict if it also runs in another living process."""
    path = folder / f"running-{number}"
    try:
        os.kill(int(path.read_text()), 0)
        (folder / f"doubled-{number}").touch()
    except (FileNotFoundError, ProcessLookupError):
        pass
    # The worker may be killed right here: an empty file would name no process, and 0 is this one's group.
    written = folder / f"claim-{os.getpid()}"
    written.write_text(str(os.getpid()))
    written.replace(path)
    return path
