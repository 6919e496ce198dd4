"""Fixtures of workers for many studies: submitted studies of stub trials, and workers in this process or in others."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.search.fleet.stub_preparation import answer_folder, answer_never
from tests.search.stub_trials import StubTrial, follow
from tests.search.supervisor_fixture import RecordingView, make_spec
from tunefront.search.data.dataset import Dataset
from tunefront.search.fleet.here import Here
from tunefront.search.fleet.open_studies import OpenStudies
from tunefront.search.fleet.unfit import Trust
from tunefront.search.fleet.worker import Worker
from tunefront.search.launching.asker import Asker, Inquiry
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.slots import Slot
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.contact.presence import present
from tunefront.search.supervisor.view import View
from tunefront.storage import studies, trials
from tunefront.storage.attempts import Attempt, read_attempts
from tunefront.storage.control import study_control
from tunefront.storage.database.connection import Store, open_store
from tunefront.storage.database.waits import Waits
from tunefront.storage.open_study import OpenStudy

DATASET = {
    "source": "digits",
    "fingerprint": "0" * 16,
    "class_names": ["0", "1"],
    "image_shape": [8, 8, 1],
    "n_train": 10,
    "n_validation": 5,
    "n_test": 5,
    "digests": {"images": "a", "labels": "b", "splits": "c"},
}
_MOST_TRIALS = 100  # of a study
WAITS = Waits(lease_seconds=6.0, away_seconds=1.0, lock_seconds=2.0, row_seconds=2.0, idle_seconds=4.0)


class RecordingFleetView:
    """A view of several studies that keeps what a person would have seen."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def of(self, study: str) -> View:
        return _StudyLines(self, study)

    def say(self, study: str, line: str) -> None:
        self.lines.append(f"{study}: {line}" if study else line)

    def progress(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass

    def lines_with(self, text: str) -> list[str]:
        return [line for line in self.lines if text in line]


class _StudyLines(RecordingView):
    def __init__(self, view: RecordingFleetView, study: str) -> None:
        super().__init__()
        self._view = view
        self._study = study

    def say(self, line: str) -> None:
        self._view.say(self._study, line)

    def progress(self, what: str, done: int, total: int) -> None:
        pass


@dataclass
class FleetFixture:
    """A store of submitted studies, and workers for it.

    Attributes:
        dataset: What workers find where the spec says: facts of a dataset.
        pause_seconds: The seconds of each of a trial's three epochs.
        on_store: Called with a worker's store before it works.
        never_prepared: The name of a study whose preparation never ends; it makes a file ``preparing``.
        clock: The clock of workers' looks and waits.
        is_known: Whether the last worker knew what was left when it ended.
    """

    folder: Path
    url: str = ""
    dataset: Mapping[str, Any] = field(default_factory=lambda: dict(DATASET))
    pause_seconds: float = 0.05
    view: RecordingFleetView = field(default_factory=RecordingFleetView)
    waits: Waits = WAITS
    on_store: Callable[[Store], object] = lambda store: None
    never_prepared: str = ""
    clock: Callable[[], float] = time.monotonic
    is_known: bool = False

    def __post_init__(self) -> None:
        self.url = self.url or f"sqlite:///{self.folder / 'tunefront.db'}"
        self.store = open_store(self.url, is_writer=True, waits=self.waits)
        (self.folder / "notes").mkdir(exist_ok=True)

    def submit(self, name: str, trials: int, priority: int = 0, **changes: Any) -> OpenStudy:
        """Make a study, and let workers take it."""
        spec = make_spec(name=name, trials=trials, **changes)
        objectives = list(spec.parsed_objectives().values())
        study = studies.create(
            self.store,
            name,
            spec.as_json(),
            {**DATASET, "n_classes": 2},
            [objective.measure.direction for objective in objectives],
            [objective.measure.name for objective in objectives],
        )
        study_control.set_priority(study, priority)
        study_control.submit(study)
        return study

    def work(
        self,
        n_slots: int = 1,
        is_interrupted: Callable[[], bool] = lambda: False,
        *,
        trust: Trust | None = None,
        until_idle: bool = True,
        only: str = "",
    ) -> list[str]:
        """Work until no study is open, in this process; return the studies that are not over."""
        folder = self.folder / f"data-{uuid.uuid4().hex}"
        folder.mkdir()
        (folder / "dataset.json").write_text(json.dumps(dict(self.dataset)))
        assert Dataset.read(folder).fingerprint == self.dataset["fingerprint"]
        launcher = Launcher(folder / "forkserver.log", preload=())
        asker = Asker(launcher, None, folder / "prepare.log", self.view.progress)
        slots = [Slot(f"cpu{index}", 1) for index in range(n_slots)]
        store = open_store(self.url, is_writer=True, worker_id=uuid.uuid4().hex, waits=self.waits)
        self.on_store(store)
        plan = dict.fromkeys(range(_MOST_TRIALS), StubTrial(pause_seconds=self.pause_seconds))
        here = Here(
            store,
            slots,
            (),
            self.folder / "results",
            asker,
            trust or Trust(),
            self.view.of,
            is_interrupted,
            partial(follow, plan=plan, notes=str(self.folder / "notes")),
            partial(_prepare, folder=str(folder), never=self.never_prepared, mark=str(self.folder / "preparing")),
        )
        duty = OpenStudies(here, self.view.say, only=only, until_idle=until_idle, clock=self.clock)
        with present(store, slots, (), lambda line: None):
            try:
                Worker(slots, duty, is_interrupted).work()
            finally:
                duty.end()
        left, self.is_known = duty.unfinished(), duty.is_known
        store.engine.dispose()
        return left

    def states(self, study: OpenStudy) -> Counter[str]:
        """Return how many trials are in each state."""
        return Counter(trial.state for trial in trials.load(OpenStudy(self.store, study.record)))

    def attempts(self, study: OpenStudy) -> list[Attempt]:
        """Return the attempts at the study's trials, in the order of their start."""
        with self.store.engine.connect() as connection:
            found = read_attempts(connection, study.study_id)
        return sorted((each for parts in found.values() for each in parts), key=lambda each: each.started_at)

    def is_over(self, study: OpenStudy) -> bool:
        """Return whether workers leave the study."""
        return study_control.read(study).is_over


def _prepare(asker: Asker, spec: StudySpec, folder: str, never: str, mark: str) -> Inquiry:
    return asker.begin(answer_never, mark) if spec.name == never else asker.begin(answer_folder, folder)


def check_exact(fixture: FleetFixture, expected: Sequence[tuple[OpenStudy, int]]) -> None:
    """Check that each study has its trials, each of them finished once, and nothing that still runs."""
    for study, n_trials in expected:
        assert fixture.states(study) == {"complete": n_trials}
        ended = Counter(each.number for each in fixture.attempts(study) if each.ending == "complete")
        assert ended == dict.fromkeys(range(n_trials), 1)
        assert [each for each in fixture.attempts(study) if each.ending == "running"] == []
        assert fixture.is_over(study)


def work_in_process(folder: str, url: str, n_slots: int, stop_file: str, pause_seconds: float) -> None:
    """Work until no study is open, or the file is there; for a process of its own."""
    fixture = FleetFixture(Path(folder), url, pause_seconds=pause_seconds)
    stop = Path(stop_file)
    started_at = time.monotonic()
    fixture.work(n_slots, lambda: stop.exists() or time.monotonic() - started_at > 600)
    Path(f"{stop_file}.lines-{os.getpid()}").write_text("\n".join(fixture.view.lines))
