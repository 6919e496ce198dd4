"""Files in studies' artifacts: those that rows name and that are missing, and those that no row names."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from optuna.trial import TrialState

from tunefront.mistakes import TunefrontError
from tunefront.storage import studies
from tunefront.storage.artifacts.artifact_store import SPOOL, ArtifactStore, digest_of, key_of
from tunefront.storage.artifacts.rows import LOGS, MODELS, Artifact, named, read
from tunefront.storage.artifacts.spooled import read_spooled
from tunefront.storage.artifacts.study_artifacts import address_of, open_here, stored_address
from tunefront.storage.check.defect import Defect
from tunefront.storage.check.kept_models import describe_retraining, kept_paths, retrained_path
from tunefront.storage.database import optuna_tables
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy

_ENDED = (TrialState.COMPLETE.name, TrialState.PRUNED.name)  # their files were uploaded before their results were told
_MAX_KEYS = 3  # files that a line names


def find_artifact_defects(store: Store) -> list[Defect]:
    """Compare the files of each place with the rows of the studies that have theirs there."""
    places: dict[str, list[OpenStudy]] = {}
    for study in studies.list_all(store):
        stored = stored_address(study)
        if stored:
            places.setdefault(stored, []).append(study)
    found = []
    for users in places.values():
        try:
            found += _compare(store, open_here(address_of(users[0])), users)
        except TunefrontError as error:  # it is away, or a package or a key is missing
            remedy = "mend this, or name the place as this machine sees it: TUNEFRONT_ARTIFACTS=..."
            found.append(Defect("", f"the artifacts of {', '.join(study.name for study in users)}: {error}", remedy))
    return found


def _compare(store: Store, artifacts: ArtifactStore, users: list[OpenStudy]) -> list[Defect]:
    present = set(artifacts.digests())  # before rows are read: those of files that come later are written first
    found = [defect for study in users for defect in _find_missing(study, artifacts, present)]
    # A worker forgets a beaten model first, and removes its files later, when it has time. A result that the store has
    # not been told of names files too.
    if not any(studies.workers_at_work(study) for study in users):
        waiting = {study.name: read_spooled(artifacts, study.record)[0] for study in users}
        found += [_describe_waiting(name, len(results), artifacts) for name, results in waiting.items() if results]
        kept = {file.digest for results in waiting.values() for result in results for file in result.files}
        unnamed = sorted(present - named(store) - kept)
        if unnamed:
            keys = ", ".join(map(key_of, unnamed[:_MAX_KEYS])) + (", ..." if len(unnamed) > _MAX_KEYS else "")
            what = f"{len(unnamed)} of the {len(present)} files in {artifacts.address} belong to no trial: {keys}"
            remedy = "their worker was lost. Unless another storage has files in the same place, remove them there"
            found.append(Defect("", what, remedy))
    return found


def _describe_waiting(name: str, n: int, artifacts: ArtifactStore) -> Defect:
    what = f"{n} result{'s wait' if n > 1 else ' waits'} in {artifacts.address}/{SPOOL}/{name}: the storage was away"
    return Defect(name, what, "any 'tunefront run' that works on the study tells the storage, or refuses what is late")


def _find_missing(study: OpenStudy, artifacts: ArtifactStore, present: set[str]) -> list[Defect]:
    ended, paths = _ended_trials(study), kept_paths(study)
    found = []
    for number, files in sorted(_files(study).items()):
        lost = [file for file in files if number in ended and file.digest not in present]
        lost = [file for file in lost if not artifacts.exists(file.digest)]
        if lost:  # a model that was beaten meanwhile has no row any more
            still = _files(study).get(number, [])
            lost = [file for file in lost if file in still]
        path, by_remedy = paths.get(number, ""), dict[str, list[Artifact]]()
        for file in lost:
            if not (file.folder == MODELS and path and retrained_path(path).exists()):
                by_remedy.setdefault(_find_remedy(study, number, file, path), []).append(file)
        found += [
            Defect(study.name, _describe_missing(alike, artifacts), remedy) for remedy, alike in by_remedy.items()
        ]
    return found


def _describe_missing(files: list[Artifact], artifacts: ArtifactStore) -> str:
    names, keys = ", ".join(file.name for file in files), ", ".join(key_of(file.digest) for file in files)
    is_missing, it_is = ("are missing", "they are") if len(files) > 1 else ("is missing", "it is")
    return f"{names} {is_missing} in {artifacts.address}, where {it_is} {keys}"


def _find_remedy(study: OpenStudy, number: int, file: Artifact, path: str) -> str:
    """Return what to do about a missing file of a trial whose kept model is, or was, at `path`."""
    here = Path(path).parents[1] / file.name if path else None
    if here is not None and here.is_file() and digest_of(here) == file.digest:
        return f"put it back: {here} is the same file"
    remedy = "put back what is in a backup of that place"
    if file.folder == MODELS:
        again = describe_retraining(study.name, number, path) if path else f"tunefront retrain {study.name} {number}"
        remedy += f", or train the model again: {again}"
    return remedy


def _files(study: OpenStudy) -> dict[int, list[Artifact]]:
    return read(study, (MODELS, LOGS))  # nobody needs the checkpoints of a trial that has ended


def _ended_trials(study: OpenStudy) -> set[int]:
    table = optuna_tables.trials
    query = sa.select(table.c.number, table.c.state).where(table.c.study_id == study.study_id)
    with study.store.engine.connect() as connection:
        return {row.number for row in connection.execute(query) if row.state in _ENDED}
