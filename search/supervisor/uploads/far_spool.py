"""One supervisor's part in the results that lie in the artifacts: its own while the store is away, and those of others.

What needs the artifacts is a task of the thread that brings files there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.search.supervisor.uploads.far_results import FarResult, Records, deliver_far, keep_far, read_far
from tunefront.search.supervisor.uploads.upload import files_of
from tunefront.storage.artifacts.artifact_store import ArtifactStore
from tunefront.storage.artifacts.rows import remove_unnamed
from tunefront.storage.artifacts.spooled import drop
from tunefront.storage.open_study import OpenStudy


class FarSpool:
    """The results in the artifacts, as one supervisor keeps and finds them.

    Args:
        out: The study's results folder.
        add: Adds a task to those of the thread.
        tell: Tells a person of a result that cannot be read; it is called in the thread.
    """

    def __init__(
        self,
        study: OpenStudy,
        spool: Spool,
        out: Path,
        add: Callable[[Callable[[ArtifactStore], None]], None],
        tell: Callable[[str], None],
    ) -> None:
        self._study = study
        self._spool = spool
        self._out = out
        self._add = add
        self._tell = tell
        self._kept: dict[str, str] = {}  # name of a result -> digest of what the artifacts have of it
        self._found: list[FarResult] | None = None
        self._is_looking = False

    def keep(self, artifacts: ArtifactStore, waiting: Iterable[TrialResult]) -> None:
        """Keep results that wait for the store, so that another machine may tell it; called in the thread.

        Raises:
            ArtifactsAwayError: If the place cannot be used now.
            OSError: If a file went away meanwhile.
        """
        for result in waiting:
            if result.name not in self._kept:
                files = files_of(result, self._spool, self._out)
                self._kept[result.name] = keep_far(self._study, artifacts, result, files)

    def note_told(self, result: TrialResult) -> None:
        """Remove a result, if it was kept: the store knows it now."""
        digest = self._kept.pop(result.name, "")
        if digest:
            self._add(partial(self._drop, digest))

    def find(self) -> list[FarResult] | None:
        """Return the results that are there; None while they are looked up, which begins with the question."""
        found, self._found = self._found, None
        if found is None and not self._is_looking:
            self._is_looking = True
            self._add(self._look)
        return found

    def deliver(self, far: FarResult, delivery: Records, say: Callable[[str], None]) -> None:
        """Tell the store of a result, see :func:`deliver_far`, and remove it in the artifacts."""
        dropped = deliver_far(self._study, far, delivery, say)
        self._add(lambda artifacts: remove_unnamed(self._study.store, artifacts, dropped))
        self._add(partial(self._drop, far.digest))

    def _look(self, artifacts: ArtifactStore) -> None:
        found, problems = read_far(self._study, artifacts)
        for problem in problems:
            self._tell(problem)
        self._found, self._is_looking = found, False

    def _drop(self, digest: str, artifacts: ArtifactStore) -> None:
        drop(artifacts, self._study.record, digest)
