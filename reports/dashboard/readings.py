"""What the store has of each study, read again only when it has changed."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from tunefront.reports.class_answers.class_answers import FrontAnswers, load_front_answers
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.reports.deployment.deployed_front import DeployedFront, load_deployed_front
from tunefront.reports.figures.fronts import front_figure
from tunefront.reports.results_owner import find_results_folder
from tunefront.reports.study_results import StudyResults, load_results
from tunefront.storage import studies
from tunefront.storage.counts import count
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy

PAUSE_SECONDS = 5.0  # between two readings of a study


@dataclass(frozen=True)
class Reading:
    """A study as the store had it at one moment, with all that a report needs.

    Attributes:
        version: A text that differs from that of every other state of the study.
        confirmation_id: The number of the study that confirms this one; None without one.
        search_id: The number of the study that this one confirms; None without one.
    """

    study: OpenStudy
    version: str
    results: StudyResults
    confirmation: Confirmation | None
    answers: FrontAnswers | None
    deployed: DeployedFront | None
    confirmation_id: int | None = None
    search_id: int | None = None

    @cached_property
    def folder(self) -> Path | None:
        """The folder on this machine that holds the study's models and logs; None if there is none."""
        return find_results_folder(self.results)

    @cached_property
    def figure_json(self) -> str:
        """The front as a figure of plotly."""
        return str(front_figure(self.results).to_json())


@dataclass
class _Kept:
    """A study that was read before.

    Attributes:
        counted: The study for counting: Optuna keeps finished trials with it, so that counting again reads the others.
        looked_at: When the store was last asked whether it has changed, on the clock of `Readings`.
    """

    counted: OpenStudy
    lock: threading.Lock = field(default_factory=threading.Lock)
    looked_at: float = float("-inf")
    reading: Reading | None = None


class Readings:
    """The readings of a store's studies, for all threads of a server.

    Args:
        store: Opened for reading, because loading a large study must not block its workers.
        clock: A clock in seconds.
    """

    def __init__(
        self, store: Store, pause_seconds: float = PAUSE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._kept: dict[tuple[int, float], _Kept] = {}
        self._lock = threading.Lock()

    def studies(self) -> list[OpenStudy]:
        """Return all studies, oldest first."""
        return studies.list_all(self._store)

    def find(self, study_id: int) -> OpenStudy | None:
        """Return the study of that number; None if there is none."""
        return next((study for study in self.studies() if study.study_id == study_id), None)

    def reconnect(self) -> None:
        """Drop all connections to the store: those of a file that was put aside would lead to it for ever."""
        self._store.optuna.remove_session()
        self._store.engine.dispose()

    def latest(self, study: OpenStudy) -> Reading:
        """Return the study as it is, or as it was up to a pause ago."""
        kept = self._keep(study)
        with kept.lock:
            if kept.reading is None or self._clock() - kept.looked_at >= self._pause_seconds:
                kept.looked_at = self._clock()
                version = self.version(study)
                if kept.reading is None or kept.reading.version != version:
                    kept.reading = self._read(study, version)
            return kept.reading

    def version(self, study: OpenStudy) -> str:
        """Return a text that differs from that of every other state of the study: trials, limits, notes on it."""
        state = []
        for each in filter(None, (study, self._confirmation_of(study))):
            counted = self._keep(each).counted
            state.append([each.record.spec, asdict(count(counted)), counted.optuna.user_attrs])
        return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:16]

    def describe_progress(self, study: OpenStudy) -> str:
        """Return how far a study is, in a few words, without reading it."""
        counts, spec = count(self._keep(study).counted), study.record.spec
        # In a confirmation, failed trainings count too.
        n_finished = counts.finished + (counts.failed + counts.cancelled if spec.get("confirms") else 0)
        running = f", {counts.running} running now" if counts.running else ""
        return f"{n_finished} of {spec.get('trials', n_finished)} trials{running}"

    def _confirmation_of(self, study: OpenStudy) -> OpenStudy | None:
        return next((each for each in self.studies() if each.record.spec.get("confirms") == study.name), None)

    def _read(self, study: OpenStudy, version: str) -> Reading:
        # Read anew: a change of limits rewrites finished trials, which the study that counts keeps as they were.
        fresh = self.find(study.study_id) or study
        confirmation, name = self._confirmation_of(fresh), fresh.record.spec.get("confirms")
        search = next((each for each in self.studies() if each.name == name), None)
        results = load_results(fresh)
        return Reading(
            fresh,
            version,
            results,
            load_confirmation(fresh.store, results),
            load_front_answers(fresh, results),
            load_deployed_front(fresh),
            confirmation.study_id if confirmation is not None else None,
            search.study_id if search is not None else None,
        )

    def _keep(self, study: OpenStudy) -> _Kept:
        # The number alone is not enough: SQLite uses it again.
        with self._lock:
            return self._kept.setdefault((study.study_id, study.record.created_at), _Kept(study))
