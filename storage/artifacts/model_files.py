"""The files of a study's kept models on this machine, brought from its artifacts where they are not here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from tunefront.storage import folder_owner, studies, trials
from tunefront.storage.artifacts.address import ArtifactsAddressError
from tunefront.storage.artifacts.artifact_store import (
    ArtifactsAwayError,
    ArtifactStore,
    ChangedArtifactError,
    MissingArtifactError,
    fetch,
)
from tunefront.storage.artifacts.rows import MODELS, Artifact, read
from tunefront.storage.artifacts.study_artifacts import address_of, artifacts_of
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.trials import TrialRecord

CONFIRMATION = "confirmation"  # in the results folder of its search
_MODEL = ".keras"


class ModelFiles:
    """The kept models of one study, each with the files beside it, in a results folder on this machine.

    Attributes:
        problems: A line for each trial whose files could not be brought.

    Args:
        folder: The folder of the study's results here; it need not exist.
    """

    def __init__(self, study: OpenStudy, folder: Path) -> None:
        self.problems: list[str] = []
        self._study = study
        self._folder = folder.absolute()

    def here(self, trials: Iterable[TrialRecord]) -> list[TrialRecord]:
        """Return trials with the paths of their models in the folder, where the store's paths lead nowhere here."""
        return [self._here(trial) for trial in trials]

    def bring(self, trials: Iterable[TrialRecord], endings: tuple[str, ...] = ("",)) -> list[TrialRecord]:
        """Fetch what is not here of the trials' models; return the trials with the paths of their models here.

        Args:
            endings: Of the files that are wanted, such as ``.keras``.

        Raises:
            FolderTakenError: If the folder holds another study's results.
            OSError: If a file cannot be written there.
        """
        found = []
        for trial in trials:
            if not self._is_away:
                self._bring(trial, endings)
            found.append(self._here(trial))
        return found

    _is_away = False  # the rest is not tried once the place could not be reached

    @cached_property
    def _rows(self) -> dict[int, list[Artifact]]:
        return read(self._study)

    @cached_property
    def _artifacts(self) -> ArtifactStore | None:
        return artifacts_of(self._study)

    @cached_property
    def _is_own(self) -> bool:
        """Whether the folder is known to hold this study's results, and no other one's."""
        try:
            folder_owner.check_owned(self._folder, self._study.record)
        except folder_owner.FolderTakenError:
            return False
        return True

    def _here(self, trial: TrialRecord) -> TrialRecord:
        rows = self._rows.get(trial.number, []) if trial.model_path else []
        if not rows or _are_at(Path(trial.model_path).parent, rows) or not self._is_own:
            return trial
        if not any((self._folder / row.name).is_file() for row in rows):
            return trial
        return replace(trial, model_path=str(self._folder / MODELS / f"trial-{trial.number}{_MODEL}"))

    def _bring(self, trial: TrialRecord, endings: tuple[str, ...]) -> None:
        rows = self._rows.get(trial.number, []) if trial.model_path else []
        wanted = [row for row in rows if row.name.endswith(endings)]
        if not wanted or _are_at(Path(trial.model_path).parent, wanted):
            return
        try:
            if self._artifacts is None:
                return
            folder_owner.claim(self._folder, self._study.record)
            self.__dict__.pop("_is_own", None)
            for row in wanted:
                target = self._folder / row.name
                if not _has_size(target, row):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    fetch(self._artifacts, row.digest, target)
        except (ArtifactsAwayError, ArtifactsAddressError) as error:
            self._is_away = True
            self.problems.append(f"models that are not on this machine are not here: {error}")
        except (ChangedArtifactError, MissingArtifactError) as error:
            self.problems.append(f"the model of trial {trial.number} is not here: {error}")


def bring_models(study: OpenStudy, folder: Path, endings: tuple[str, ...] = ("",)) -> list[str]:
    """Fetch what is not here of a study's kept models, and of its confirmation's, into their results folders.

    Returns:
        A line for what could not be fetched.

    Args:
        folder: The folder of the study's results here; the confirmation's is in it.
        endings: Of the files that are wanted.
    """
    confirming = [each for each in studies.list_all(study.store) if each.record.spec.get("confirms") == study.name]
    problems = []
    for each, place in ((study, folder), *((each, folder / CONFIRMATION) for each in confirming)):
        if address_of(each):
            files = ModelFiles(each, place)
            files.bring(trials.load(each), endings)
            problems += files.problems
    return problems


def _are_at(folder: Path, rows: Iterable[Artifact]) -> bool:
    """Return whether these files lie in `folder`, the model with its size: another machine has the same paths."""
    paths = {row: folder / Path(row.name).name for row in rows}
    return all(_has_size(path, row) if path.suffix == _MODEL else path.is_file() for row, path in paths.items())


def _has_size(path: Path, row: Artifact) -> bool:
    """Return whether there is such a file; its digest was checked when it was brought."""
    return path.is_file() and path.stat().st_size == row.n_bytes
