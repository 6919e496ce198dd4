"""The thread that brings the files of trials to the study's artifacts, so that the supervisor waits for none."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.search.supervisor.uploads.upload import files_of, is_for_good, upload
from tunefront.storage.artifacts.artifact_store import ArtifactsAwayError, ArtifactStore
from tunefront.storage.artifacts.rows import forget, remove_unnamed
from tunefront.storage.database.locks import LockBusyError
from tunefront.storage.database.patience import is_away
from tunefront.storage.open_study import OpenStudy

SHORT_SECONDS = 0.05  # for those who wait for a result that is about to be told
_MAX_PAUSE_SECONDS = 15.0  # between two tries, while the artifacts are away
_JOIN_SECONDS = 1.0


class Uploads:
    """The uploads of one supervisor.

    A result is told to the store when its files are uploaded. Until then it waits in the spool, and what goes wrong is
    an outage: it is tried again until it succeeds, by the next supervisor of the results folder if need be.

    Args:
        artifacts: The place; None if the study has none, and then everything counts as uploaded.
        out: The study's results folder.
    """

    def __init__(self, study: OpenStudy, artifacts: ArtifactStore | None, spool: Spool, out: Path) -> None:
        self._study = study
        self._artifacts = artifacts
        self._spool = spool
        self._out = out
        self._begun: dict[str, float] = {}  # name of a result that is on its way -> when that began
        self._done: set[str] = set()
        self._tasks: deque[Callable[[ArtifactStore], None]] = deque()
        self._lines: list[str] = []
        self._why_away, self._lost_at = "", 0.0
        self._error: Exception | None = None
        self._is_stopped = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="uploads", daemon=True)

    def start(self) -> None:
        """Start the thread, if there is anything for it to do."""
        if self._artifacts is not None:
            self._thread.start()

    def stop(self) -> None:
        """End the thread. One that waits for a silent server is left alone: what it uploads is uploaded again."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=_JOIN_SECONDS)

    def wants(self, result: TrialResult) -> bool:
        """Return whether the files of a result are to be uploaded before it is told: not of a trial given back."""
        return self._artifacts is not None and is_for_good(result)

    def is_done(self, result: TrialResult) -> bool:
        """Return whether a result that waits in the spool can be told; its upload begins with the first question."""
        if self._error is not None:
            raise self._error
        if not self.wants(result):
            return True
        with self._changed:
            if result.name not in self._begun and result.name not in self._done:
                self._begun[result.name] = time.monotonic()
                self._add(partial(self._upload, result))
            return result.name in self._done

    def drop(self, numbers: Collection[int]) -> None:
        """Remove the models of these trials from the artifacts, unless another trial has the same file."""
        if self._artifacts is not None:
            digests = forget(self._study, numbers)
            if digests:
                with self._changed:
                    self._add(partial(self._remove, digests))

    @property
    def is_away(self) -> bool:
        """Whether the last upload failed, so that the artifacts are away as far as this supervisor knows."""
        return bool(self._why_away)

    @property
    def is_busy(self) -> bool:
        """Whether anything is left to be uploaded or removed."""
        return bool(self._tasks)

    @property
    def holds_slots(self) -> bool:
        """Whether a result is about to be told, and is worth waiting for: the next candidate may depend on it."""
        patience = self._study.store.waits.away_seconds
        with self._changed:
            return not self.is_away and any(time.monotonic() - began < patience for began in self._begun.values())

    def wait(self, seconds: float) -> None:
        """Wait so long, or until something has changed."""
        with self._changed:
            self._changed.wait(seconds)

    def take_lines(self) -> list[str]:
        """Return what a person is to be told since the last call: that the artifacts are away, or back."""
        with self._changed:
            lines, self._lines = self._lines, []
        return lines

    def notice(self) -> str:
        """Return what a person who watches is to know now; empty while all is well."""
        with self._changed:
            n = len(self._begun)
            kept = f"; {n} result{'s are' if n > 1 else ' is'} kept meanwhile" if n else ""
            return f"artifacts: {self._why_away}{kept}" if self._why_away else ""

    def _add(self, task: Callable[[ArtifactStore], None]) -> None:
        self._tasks.append(task)
        self._changed.notify_all()

    def _upload(self, result: TrialResult, artifacts: ArtifactStore) -> None:
        upload(self._study.store, artifacts, result, files_of(result, self._spool, self._out))
        self._note_return()  # told before the result is
        with self._changed:
            self._done.add(result.name)
            del self._begun[result.name]
            self._changed.notify_all()

    def _remove(self, digests: Collection[str], artifacts: ArtifactStore) -> None:
        remove_unnamed(self._study.store, artifacts, digests)

    def _run(self) -> None:
        assert self._artifacts is not None
        pause = 0.0
        while True:
            with self._changed:
                if pause:
                    self._changed.wait_for(lambda: self._is_stopped, timeout=pause)
                self._changed.wait_for(lambda: self._is_stopped or bool(self._tasks))
                if self._is_stopped:
                    return
                task = self._tasks[0]
            try:
                task(self._artifacts)
            except (ArtifactsAwayError, OSError) as error:
                self._note_loss(str(error))
            except Exception as error:  # noqa: BLE001 - what is no outage goes to the supervisor, see `is_done`
                if not is_away(error) and not isinstance(error, LockBusyError):
                    self._error = error
                    return
            else:
                with self._changed:
                    self._tasks.popleft()
                self._note_return()
                pause = 0.0
                continue
            pause = min(max(1.0, 2 * pause), _MAX_PAUSE_SECONDS)

    def _note_loss(self, why: str) -> None:
        with self._changed:
            if not self._why_away:
                self._lost_at = time.monotonic()
                self._lines.append(f"artifacts: {why}. Trainings go on, and results are kept until that is mended")
            self._why_away = why

    def _note_return(self) -> None:
        with self._changed:
            if self._why_away:
                self._lines.append(
                    f"artifacts: they can be written again after {time.monotonic() - self._lost_at:.0f} s"
                )
            self._why_away = ""
