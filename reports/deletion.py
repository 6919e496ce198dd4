"""What deleting a study takes with it, said before it is done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from tunefront.objectives.quantities import format_quantity
from tunefront.reports.results_folder import ResultsFolder, look_at_results
from tunefront.storage import folder_owner, studies
from tunefront.storage.counts import count
from tunefront.storage.database.connection import Store
from tunefront.storage.studies import StudyRecord

_N_LISTED = 10


@dataclass(frozen=True)
class Deletion:
    """A study that is to be deleted.

    Attributes:
        doomed: The study, and its confirmation if it has one: that means nothing without its search.
        recording: Its recording, which stays: a table of its own was made of it.
        folder: Where its results are.
        results: What is in there; None if that is no folder.
        has_results: Whether the files in it are to be removed as well.
    """

    store: Store
    doomed: tuple[StudyRecord, ...]
    recording: StudyRecord | None
    folder: Path
    results: ResultsFolder | None
    has_results: bool

    def describe(self) -> str:
        """What goes and what stays, in a few lines."""
        lines = [f"This deletes {self._counted(study)}" for study in self.doomed]
        lines += self._files()
        if self.recording is not None:
            name = self.recording.name
            lines.append(f"It stays: the study {name}. 'tunefront delete {name}' deletes it")
        return "\n".join(lines)

    def _counted(self, study: StudyRecord) -> str:
        counts = count(self.store, study.optuna_study(self.store), study.study_id)
        names = ("complete", "pruned", "refused", "failed", "running", "waiting")
        states = {name: getattr(counts, name) for name in names}
        known = ", ".join(f"{n} {name}" for name, n in states.items() if n) or "none started"
        confirms = study.spec.get("confirms")
        return f"the study {study.name}{f', the confirmation of {confirms}' if confirms else ''} ({known})"

    def _files(self) -> list[str]:
        if self.results is None:
            why = "is a link, and links are not followed" if self.folder.is_symlink() else "is not there"
            return [f"No file is removed: {self.folder} {why}"] if self.has_results else []
        if not (self.results.files or self.results.others):
            return []
        n_files, folder = len(self.results.files), self.folder
        size = format_quantity(self.results.n_bytes, "bytes")
        counted = f"{n_files} file{'' if n_files == 1 else 's'} in {folder} ({size}), models and report included"
        if not self.has_results:
            return [f"It stays: {counted}. --results removes them too"]
        lines = [f"This removes {counted}"]
        others = [str(path) for path in self.results.others[:_N_LISTED]]
        n_more = len(self.results.others) - len(others)
        if others:
            more = f" and {n_more} more" if n_more else ""
            lines.append(f"It stays, because it is no model, log or report of the study: {', '.join(others)}{more}")
        return lines

    def check(self, ended_workers: Collection[str]) -> None:
        """See that nobody works on it, and that files that are to be removed are its own.

        Raises:
            StoreError: If somebody does.
            FolderTakenError: If they may be another study's, or nobody's.
        """
        if self.has_results and self.results is not None and self.results.files:
            folder_owner.check_owned(self.folder, self.doomed[0])
            for confirmation in self.doomed[1:]:
                folder_owner.check_owner(self.folder / "confirmation", confirmation, confirmation.name)
        for study in self.doomed:
            studies.check_idle(self.store, study, ended_workers)

    def carry_out(self, ended_workers: Collection[str]) -> list[str]:
        """Delete it; what could not be removed is told, with the reason.

        Raises:
            StoreError: If a study is being worked on; then nothing was deleted.
        """
        studies.delete(self.store, self.doomed, ended_workers)
        return self.results.remove() if self.has_results and self.results is not None else []


def plan_deletion(store: Store, study: StudyRecord, folder: Path, has_results: bool) -> Deletion:
    """See what belongs to a study. Deletes nothing.

    Args:
        store: Opened as a writer.
        folder: Of its results.
    """
    known = studies.list_all(store)
    confirmations = [other for other in known if other.spec.get("confirms") == study.name]
    recording = next((other for other in known if other.name == f"{study.name}.recording"), None)
    return Deletion(store, (study, *confirmations), recording, folder, look_at_results(folder), has_results)
