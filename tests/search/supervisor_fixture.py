"""A supervisor's fixture for fault tests: a store, a spec, slots, and stub trials."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from tests.search.stub_trials import EPOCHS, follow
from tests.storage.new_store import open_writer
from tunefront.search.data.dataset import Dataset
from tunefront.search.fleet.worker import OneStudy, Worker
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.gpu_shares import GpuShare
from tunefront.search.launching.slots import Slot
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.supervisor import Supervisor
from tunefront.search.supervisor.view import Snapshot
from tunefront.storage import studies, trials
from tunefront.storage.artifacts.artifact_store import ArtifactStore
from tunefront.storage.counts import Counts, count
from tunefront.storage.database.connection import Store
from tunefront.storage.database.waits import Waits
from tunefront.storage.open_study import OpenStudy, StudyRecord
from tunefront.storage.trials import TrialRecord

SPACE = {"optimizer": "adam", "augmentation": "none", "batch_size": 32}


def make_spec(**changes: Any) -> StudySpec:
    """Make the spec of a small study; changes of a table replace the keys that they name."""
    tables: dict[str, Any] = {
        "name": "digits",
        "seed": 1,
        "trials": 4,
        "data": {"source": "digits"},
        "space": SPACE,
        "training": {"epochs": EPOCHS, "time_limit": 60.0},
        "sampler": {"name": "random"},
        "pruner": {"name": "none"},
    }
    for key, value in changes.items():
        is_table = isinstance(value, dict) and isinstance(tables.get(key), dict)
        tables[key] = {**tables[key], **value} if is_table else value
    return StudySpec.model_validate(tables)


class RecordingView:
    """A view that keeps what a person would have seen."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.snapshots: list[Snapshot] = []

    def show(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def warn(self, text: str) -> None:
        self.lines.append(text)

    def close(self) -> None:
        pass


class LeapingClock:
    """A clock that leaps beyond the time limit of what runs once `is_time` says so."""

    def __init__(self, is_time: Callable[[], bool]) -> None:
        self._is_time = is_time
        self._leap_seconds = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._leap_seconds

    def look(self) -> bool:
        """Leap if it is time; never interrupt the supervisor that asks."""
        if not self._leap_seconds and self._is_time():
            self._leap_seconds = 1000.0
        return False


@dataclass
class SupervisorFixture:
    """A study in a folder, and supervisors that work on it."""

    folder: Path
    spec: StudySpec
    plan: Mapping[int, Any]
    url: str = ""
    n_slots: int = 1
    worker_id: str = "anna"
    outputs: int = 0
    n_threads: int = 1
    gpu_share: GpuShare | None = None
    trains: Callable[..., None] = follow
    waits: Waits = field(default_factory=Waits)
    view: RecordingView = field(default_factory=RecordingView)
    clock: Callable[[], float] = time.monotonic
    artifacts: ArtifactStore | None = None
    preload: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.url = self.url or f"sqlite:///{self.folder / 'tunefront.db'}"
        self.notes.mkdir(exist_ok=True)
        self.store: Store = open_writer(self.url, worker_id=self.worker_id, waits=self.waits)
        objectives = self.spec.parsed_objectives().values()
        made = studies.create(
            self.store,
            self.spec.name,
            self.spec.as_json(),
            {},
            [objective.measure.direction for objective in objectives],
            [objective.measure.name for objective in objectives],
        )
        self.record: StudyRecord = made.record

    @property
    def study(self) -> OpenStudy:
        """Opened anew each time, as another worker would."""
        return OpenStudy(self.store, self.record)

    @property
    def notes(self) -> Path:
        return self.folder / "notes"

    @property
    def out(self) -> Path:
        return self.folder / "results"

    def supervisor(self, is_interrupted: Callable[[], bool] = lambda: False) -> Supervisor:
        dataset = Dataset(str(self.folder), "digits", "0" * 16, ("0", "1"), (8, 8, 1), 10, 5, 5, outputs=self.outputs)
        slots = [Slot(f"cpu{index}", self.n_threads, share=self.gpu_share) for index in range(self.n_slots)]
        assignment = Assignment(
            self.study, self.spec, dataset, slots, self.worker_id, self.out, artifacts=self.artifacts
        )
        self.out.mkdir(exist_ok=True)
        launcher = Launcher(self.out / "forkserver.log", preload=self.preload)
        trains = partial(self.trains, plan=self.plan, notes=str(self.notes))
        return Supervisor(assignment, launcher, self.view, is_interrupted, trains, self.clock)

    def run(self, is_interrupted: Callable[[], bool] = lambda: False) -> Ending:
        return serve(self.supervisor(is_interrupted), is_interrupted)

    def trials(self) -> list[TrialRecord]:
        return trials.load(self.study)

    def states(self) -> list[str]:
        return [trial.state for trial in self.trials()]

    def counts(self) -> Counts:
        return count(self.study)

    def kept_models(self) -> list[str]:
        return sorted(path.name for path in (self.out / "models").glob("*") if path.suffix != ".json")

    def living_trials(self) -> list[int]:
        """Return the process numbers of trial processes that still run."""
        pids = [int(path.stem.split("-")[1]) for path in self.notes.glob("*.pid")]
        return [pid for pid in pids if is_running(pid)]


def serve(supervisor: Supervisor, is_interrupted: Callable[[], bool] = lambda: False) -> Ending:
    """Run a supervisor's study alone, as `tunefront run` does."""
    duty = OneStudy(supervisor)
    Worker(supervisor.slots, duty, is_interrupted).work()
    return duty.ending


def is_running(pid: int) -> bool:
    """Return whether the process exists and is no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
