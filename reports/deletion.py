"""Deleting a study: a plan of what is deleted with it, which can be shown before it is carried out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tunefront.mistakes import TunefrontError
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.results_folder import ResultsFolder, look_at_results
from tunefront.storage import folder_owner, studies
from tunefront.storage.artifacts.rows import digests_in, remove_unnamed
from tunefront.storage.artifacts.spooled import drop, read_spooled
from tunefront.storage.artifacts.study_artifacts import address_of, open_here, stored_address
from tunefront.storage.counts import count
from tunefront.storage.open_study import OpenStudy

_N_LISTED = 10


@dataclass(frozen=True)
class Deletion:
    """The plan to delete a study.

    Attributes:
        doomed: The study, and its confirmation if it has one, which means nothing without its search.
        recording: The study's recording, which stays, because a table of its own was made from it.
        folder: The folder of its results.
        results: The content of that folder; None if there is no such folder.
        has_results: Whether the files in the folder are to be removed as well.
        artifacts: The studies' files in their artifacts, which may be several: address -> digest -> bytes.
    """

    doomed: tuple[OpenStudy, ...]
    recording: OpenStudy | None
    folder: Path
    results: ResultsFolder | None
    has_results: bool
    artifacts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def describe(self) -> str:
        """Describe in a few lines what is deleted and what stays."""
        lines = [f"This deletes {self._counted(study)}" for study in self.doomed]
        lines += self._files()
        for place, files in self.artifacts.items():
            if files:
                n, size = len(files), format_quantity(sum(files.values()), "bytes")
                which = "file" if n == 1 else "files"
                lines.append(f"This removes {n} {which} in {place} ({size}), as far as no other study has the same")
        if self.recording is not None:
            name = self.recording.name
            lines.append(f"It stays: the study {name}. 'tunefront delete {name}' deletes it")
        return "\n".join(lines)

    def _counted(self, study: OpenStudy) -> str:
        counts = count(study)
        names = ("complete", "pruned", "refused", "failed", "cancelled", "running", "waiting")
        states = {name: getattr(counts, name) for name in names}
        known = ", ".join(f"{n} {name}" for name, n in states.items() if n) or "none started"
        confirms = study.record.spec.get("confirms")
        return f"the study {study.name}{f', the confirmation of {confirms}' if confirms else ''} ({known})"

    def _files(self) -> list[str]:
        if self.results is None:
            why = "is a link, and links are not followed" if self.folder.is_symlink() else "is not there"
            return [f"No file is removed: {self.folder} {why}"] if self.has_results else []
        files, n_bytes = self.results.files, self.results.n_bytes
        if not self.has_results:  # checkpoints go with the study in any case
            checkpoints = self.results.checkpoints
            files = tuple(path for path in files if path not in checkpoints.files)
            n_bytes -= checkpoints.n_bytes
        if not (files or self.results.others):
            return []
        n_files, folder = len(files), self.folder
        size = format_quantity(n_bytes, "bytes")
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
        """Check that nobody works on the study, and that the files to be removed are its own.

        Raises:
            StoreError: If somebody works on it.
            FolderTakenError: If the files may be another study's, or have no owner.
        """
        if self.has_results and self.results is not None and self.results.files:
            folder_owner.check_owned(self.folder, self.doomed[0].record)
            for confirmation in self.doomed[1:]:
                folder_owner.check_owner(self.folder / "confirmation", confirmation.record, confirmation.name)
        for study in self.doomed:
            studies.check_idle(study, ended_workers)

    def carry_out(self, ended_workers: Collection[str]) -> list[str]:
        """Delete the study; returns the files that could not be removed, with the reasons.

        Raises:
            StoreError: If a study is being worked on; then nothing is deleted.
        """
        studies.delete(self.doomed[0].store, self.doomed, ended_workers)
        problems = [problem for place in self.artifacts for problem in self._remove_artifacts(place)]
        if self.results is None:
            return problems
        return problems + (self.results.remove() if self.has_results else self._remove_checkpoints(self.results))

    def _remove_checkpoints(self, results: ResultsFolder) -> list[str]:
        """Remove what nobody will go on from, unless the folder may be another study's."""
        try:
            folder_owner.check_owned(self.folder, self.doomed[0].record)
        except folder_owner.FolderTakenError:
            return []
        return results.checkpoints.remove()

    def _remove_artifacts(self, place: str) -> list[str]:
        store, digests = self.doomed[0].store, set(self.artifacts[place])
        try:
            artifacts = open_here(place)
            for study in self.doomed:  # results that the store was never told of
                for result in read_spooled(artifacts, study.record)[0]:
                    drop(artifacts, study.record, result.digest)
                    digests |= {file.digest for file in result.files}
            remove_unnamed(store, artifacts, sorted(digests))
        except TunefrontError as error:  # the study is gone, and so is what names its files
            return [f"some of those in {place}: {error}"] if digests else []
        return []


def plan_deletion(study: OpenStudy, folder: Path, has_results: bool) -> Deletion:
    """Find everything that belongs to a study. Deletes nothing.

    Args:
        study: A study whose store was opened as a writer.
        folder: The folder of the study's results.
    """
    known = studies.list_all(study.store)
    confirmations = [other for other in known if other.record.spec.get("confirms") == study.name]
    recording = next((other for other in known if other.name == f"{study.name}.recording"), None)
    doomed = (study, *confirmations)
    return Deletion(doomed, recording, folder, look_at_results(folder), has_results, _files_by_place(doomed))


def _files_by_place(doomed: tuple[OpenStudy, ...]) -> dict[str, Mapping[str, int]]:
    """Read which files the studies have in which artifacts: address -> digest -> bytes.

    A confirmation whose search had other artifacts when it was begun has its own files where they were then.
    """
    stored = stored_address(doomed[0])
    places: dict[str, list[OpenStudy]] = {}
    for study in doomed:
        own = stored_address(study)
        # A folder may be called otherwise on this machine: `address_of` knows that of one place.
        place = address_of(study) if own == stored else own
        if place:
            places.setdefault(place, []).append(study)
    return {place: digests_in(users) for place, users in places.items()}
