"""The thread that brings the files of trials to the study's artifacts, so that the supervisor waits for none."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path

from optuna.trial import FrozenTrial

from tunefront.mistakes import TunefrontError
from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints
from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.search.supervisor.uploads.absence import Absence
from tunefront.search.supervisor.uploads.far_checkpoints import NewCheckpoints, upload_checkpoint, upload_turn
from tunefront.search.supervisor.uploads.far_files import FarFile, FarFiles, NeedsFarFiles
from tunefront.search.supervisor.uploads.far_results import FarResult
from tunefront.search.supervisor.uploads.far_spool import FarSpool
from tunefront.search.supervisor.uploads.upload import needs_upload, upload_files
from tunefront.storage.artifacts.artifact_store import ArtifactsAwayError, ArtifactStore
from tunefront.storage.artifacts.rows import CHECKPOINTS, MODELS, TURNS, forget, remove_unnamed
from tunefront.storage.artifacts.study_artifacts import artifacts_of
from tunefront.storage.attempts import Lease
from tunefront.storage.database.locks import LockBusyError
from tunefront.storage.database.patience import is_away
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

SHORT_SECONDS = 0.05  # for those who wait for a result that is about to be told
_MAX_PAUSE_SECONDS = 15.0  # between two tries, while the artifacts are away
_JOIN_SECONDS = 1.0


class Uploads:
    """The uploads of one supervisor.

    A result is told to the store when its files are uploaded. Until then it waits in the spool, and what goes wrong is
    an outage: it is tried again until it succeeds, by the next supervisor of the results folder if need be.

    Args:
        artifacts: The place; None if the study has none, and then everything counts as uploaded.
        checkpoints: Those in the study's results folder.
        open_named: Opens the place that the store names by now; None if it names none.

    Attributes:
        far: The results in the artifacts.
        far_files: The checkpoints there.
    """

    def __init__(
        self,
        study: OpenStudy,
        artifacts: ArtifactStore | None,
        spool: Spool,
        checkpoints: StudyCheckpoints,
        open_named: Callable[[OpenStudy], ArtifactStore | None] = artifacts_of,
    ) -> None:
        self._study, self._open_named = study, open_named
        self._artifacts = artifacts
        self._spool = spool
        self._out = checkpoints.out
        self._begun: dict[str, float] = {}  # name of a result that is on its way -> when that began
        self._done: set[str] = set()
        self._checkpoints = checkpoints
        self._new_checkpoints = NewCheckpoints()
        self.far_files = FarFiles(study, drop=self._drop)
        self._tasks: deque[Callable[[ArtifactStore], None]] = deque()
        self._absence = Absence()
        self._error: Exception | None = None
        self._is_stopped = self._is_unusable = False
        self._changed = threading.Condition()
        self.far = FarSpool(study, spool, self._out, self._add, self._tell)
        self._thread = threading.Thread(target=self._run, name="uploads", daemon=True)

    def start(self) -> None:
        """Start the thread, if there is anything for it to do."""
        if self._artifacts is not None:
            self._thread.start()

    def adopt_place(self) -> None:
        """Use the artifacts that another worker has given the study since this one started, if it had none then."""
        if self._artifacts is not None or self._is_unusable:
            return
        try:
            self._artifacts = self._open_named(self._study)
        except TunefrontError as error:
            self._is_unusable = True
            self._absence.lines.append(f"the artifacts that another worker has named are not used here: {error}")
        if self._artifacts is not None:
            place = self._artifacts.address
            self._absence.lines.append(f"models and logs are brought to {place}, which another worker named")
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
        return self._artifacts is not None and needs_upload(result)

    def is_done(self, result: TrialResult) -> bool:
        """Return whether a result that waits in the spool can be told; its upload begins with the first question."""
        if self._error is not None:
            raise self._error
        if not self.wants(result):
            return True
        with self._changed:
            if result.name not in self._begun and result.name not in self._done:
                self._new_checkpoints.forget(result.lease.number)
                self._begun[result.name] = time.monotonic()
                self._add(partial(self._upload, result))
            if self.is_away and result.outcome is Outcome.PAUSED:  # it goes on here, others inherit from other turns
                self._begun.pop(result.name, None)
                return True
            return result.name in self._done

    def note_checkpoint(self, lease: Lease, epoch: int) -> None:
        """Note that a trial has a new checkpoint, which is brought to the artifacts twice a lease at most.

        Args:
            epoch: The last epoch that the supervisor knows of.
        """
        if self._artifacts is not None:
            with self._changed:
                self._new_checkpoints.note(lease, epoch)

    def note_turn(self, lease: Lease, header: CheckpointHeader, path: Path) -> None:
        """Bring the checkpoint at `path` of a member's turn, after which it goes on, to the artifacts."""
        if self._artifacts is not None:
            with self._changed:
                self._add(partial(upload_turn, self._study, lease=lease, header=header, path=path))

    def bring_checkpoints(self, *, at_once: bool = False) -> None:
        """Bring the new checkpoints of running trials to the artifacts, those that it is time for or all."""
        pause = 0.0 if at_once else self._study.store.waits.lease_seconds / 2
        with self._changed:
            for lease, epoch in self._new_checkpoints.take_due(pause):
                brings = partial(upload_checkpoint, self._study, lease=lease, epoch=epoch)
                self._add(partial(brings, checkpoints=self._checkpoints))

    def awaits_checkpoint(self, population: NeedsFarFiles | None) -> bool:
        """Return whether a checkpoint that is needed next is on its way here; that begins with the question.

        What cannot be fetched is not waited for: the trial then goes on from what is here.

        Args:
            population: Whose members are trained; None fetches the newest checkpoint of each waiting trial.
        """
        self.far_files.has_place = self.has_place
        self.far_files.can_be_had = self.far_files.has_place and not self.is_away
        if not self.far_files.can_be_had:
            return False
        wanted = self.far_files.of_waiting(self._checkpoints) if population is None else population.far_files()
        with self._changed:
            for file in self.far_files.begin(wanted):
                self._add(partial(self._fetch, file))
            return self.far_files.is_fetching(wanted)

    def far_results(self) -> list[FarResult] | None:
        """Return the results in the artifacts; None while they are looked up, which begins with the question.

        While the place is away there are none: a trial that was lost is trained again rather than waited for.
        """
        return [] if self._artifacts is None or self.is_away else self.far.find()

    def drop(self, numbers: Collection[int], folder: str = MODELS) -> None:
        """Remove these trials' files in a folder from the artifacts, unless another trial has the same file."""
        if self._artifacts is not None:
            self._drop(forget(self._study, numbers, folder))

    def drop_checkpoints(self, trials: Iterable[FrozenTrial], with_ended_populations: Collection[int]) -> None:
        """Remove the checkpoints of trials that have ended, and of turns that nobody inherits any more."""
        self.drop([trial.number for trial in trials if trial.state.is_finished()], CHECKPOINTS)
        self.drop(with_ended_populations, TURNS)

    @property
    def has_place(self) -> bool:
        """Whether the study has artifacts, as far as this supervisor knows."""
        return self._artifacts is not None

    @property
    def is_away(self) -> bool:
        """Whether the last upload failed, so that the artifacts are away as far as this supervisor knows."""
        return bool(self._absence.why)

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
            lines, self._absence.lines = self._absence.lines, []
        return lines

    def notice(self) -> str:
        """Return what a person who watches is to know now; empty while all is well."""
        with self._changed:
            n = len(self._begun)
            kept = f"; {n} result{'s are' if n > 1 else ' is'} kept meanwhile" if n else ""
            return f"artifacts: {self._absence.why}{kept}" if self._absence.why else ""

    def _add(self, task: Callable[[ArtifactStore], None]) -> None:
        with self._changed:
            self._tasks.append(task)
            self._changed.notify_all()

    def _tell(self, line: str) -> None:
        with self._changed:
            self._absence.lines.append(line)

    def _upload(self, result: TrialResult, artifacts: ArtifactStore) -> None:
        problems = upload_files(self._study, artifacts, result, self._spool, self._out)
        self._note_return()  # told before the result is
        with self._changed:
            self._absence.lines += problems
            self._done.add(result.name)
            self._begun.pop(result.name, None)
            self._changed.notify_all()

    def _fetch(self, file: FarFile, artifacts: ArtifactStore) -> None:
        problem = self.far_files.fetch(file, artifacts, self._out)
        with self._changed:
            self._absence.lines += [problem] if problem else []
            self._changed.notify_all()

    def _keep_far(self) -> None:
        assert self._artifacts is not None
        with self._changed:
            waiting = [result for result in self._spool.results() if result.name in self._begun]
        self.far.keep(self._artifacts, waiting)

    def _drop(self, digests: Collection[str]) -> None:
        if digests and self._artifacts is not None:
            with self._changed:
                self._add(partial(self._remove, digests))

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
                with contextlib.suppress(ArtifactsAwayError, OSError):  # both are away: the spool has the results
                    self._keep_far()
            else:
                with self._changed:
                    self._tasks.popleft()
                self._note_return()
                pause = 0.0
                continue
            pause = min(max(1.0, 2 * pause), _MAX_PAUSE_SECONDS)

    def _note_loss(self, why: str) -> None:
        with self._changed:
            self._absence.begin(why)

    def _note_return(self) -> None:
        with self._changed:
            self._absence.end()
