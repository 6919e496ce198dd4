"""What lies in a study's artifacts for trainings to go on from: checkpoints of trials that have not ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from optuna.trial import TrialState

from tunefront.mistakes import TunefrontError
from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints
from tunefront.search.checkpoints.trial_folder import folder_of
from tunefront.search.system.links import refuse_link
from tunefront.storage.artifacts.artifact_store import ArtifactStore, fetch
from tunefront.storage.artifacts.rows import CHECKPOINTS, Artifact, read
from tunefront.storage.open_study import OpenStudy


@dataclass(frozen=True)
class FarFile:
    """A file in the artifacts, and where a training looks for it on this machine.

    Attributes:
        name: Its name there, which no other checkpoint has; two of them may be of one digest.
    """

    name: str
    digest: str
    path: Path


class FarFiles:
    """The checkpoints in a study's artifacts, as far as they can be had. Each is fetched once at most.

    Attributes:
        has_place: Whether the study has artifacts.
        can_be_had: Whether they can be read now.
        drop: Removes files with these digests from the artifacts, those that no trial has any more.
    """

    def __init__(self, study: OpenStudy, *, drop: Callable[[Collection[str]], None]) -> None:
        self.has_place = self.can_be_had = False
        self.drop = drop
        self._study = study
        self._fetching: set[str] = set()  # names
        self._tried: set[str] = set()

    def read(self, folder: str) -> Mapping[int, list[Artifact]]:
        """Read the checkpoints in a folder of names, but for those that were tried.

        Returns:
            Trial number -> its files, the newest first.
        """
        if not self.can_be_had:
            return {}
        return {
            number: sorted((file for file in files if file.name not in self._tried), key=n_epochs_of, reverse=True)
            for number, files in read(self._study, (folder,)).items()
        }

    def of_waiting(self, checkpoints: StudyCheckpoints) -> list[FarFile]:
        """Return the checkpoints of waiting trials that are newer than those on this machine, at most one each."""
        waiting = self._study.optuna.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        far = self.read(CHECKPOINTS) if waiting else {}
        found = []
        for number in (trial.number for trial in waiting if far.get(trial.number)):
            newest, here = far[number][0], checkpoints.newest(number, sys.maxsize)
            if here is None or here.n_epochs < n_epochs_of(newest):
                found.append(far_file(newest, folder_of(checkpoints.out, number)))
        return found

    # Fetching

    def begin(self, wanted: Sequence[FarFile]) -> list[FarFile]:
        """Return which of these files are to be fetched now: those that are not on their way, and were not tried."""
        new = [file for file in wanted if file.name not in self._fetching | self._tried]
        self._fetching |= {file.name for file in new}
        return new

    def is_fetching(self, wanted: Sequence[FarFile]) -> bool:
        """Return whether one of these files is on its way."""
        return any(file.name in self._fetching for file in wanted)

    def fetch(self, file: FarFile, artifacts: ArtifactStore, out: Path) -> str:
        """Fetch a file to its path below the results folder `out`; return a line on why it cannot be had, or nothing.

        From then on what is here counts, or the file before it.
        """
        try:
            folder = file.path.parent
            for each in (*(one for one in folder.parents if out in one.parents), folder):
                refuse_link(each)
            folder.mkdir(parents=True, exist_ok=True)
            fetch(artifacts, file.digest, file.path)
            return ""
        except (TunefrontError, OSError) as error:
            return f"a checkpoint of another machine is not used: {error}"
        finally:
            self._tried.add(file.name)
            self._fetching.discard(file.name)


class NeedsFarFiles(Protocol):
    """What knows which files in the artifacts are needed next."""

    def far_files(self) -> Sequence[FarFile]:
        """Return the files that are to be fetched before the next trial is trained."""


def far_file(file: Artifact, folder: Path) -> FarFile:
    """Return a file in the artifacts as one that is to lie in `folder` here."""
    return FarFile(file.name, file.digest, folder / Path(file.name).name)


def n_epochs_of(file: Artifact) -> int:
    """Return the epochs before a checkpoint, which its name begins with."""
    return int(Path(file.name).name.partition("-")[0])
