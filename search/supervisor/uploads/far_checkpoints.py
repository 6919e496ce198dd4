"""Checkpoints in a study's artifacts: the newest of each trial that has not ended, so that it can go on elsewhere."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from optuna.trial import TrialState

from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints
from tunefront.search.system.links import refuse_link
from tunefront.storage.artifacts.artifact_store import ArtifactStore, fetch
from tunefront.storage.artifacts.rows import CHECKPOINTS, Artifact, read, register, remove_unnamed
from tunefront.storage.attempts import Lease
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy


def upload_checkpoint(
    store: Store, artifacts: ArtifactStore, *, lease: Lease, epoch: int, checkpoints: StudyCheckpoints
) -> None:
    """Bring the newest whole checkpoint of a trial to the artifacts, and remove its older ones there.

    The older one stays until the newer is there. Nothing is done if the lease is no longer held.

    Args:
        epoch: The last epoch that the supervisor knows of: whoever goes on from a later checkpoint would lack some.

    Raises:
        ArtifactsAwayError: If the place cannot be used now.
    """
    header = checkpoints.newest(lease.number, epoch)
    if header is None:
        return
    path = checkpoints.folder(lease.number) / header.file_name
    with contextlib.suppress(FileNotFoundError):  # its process has written newer ones since, which come next
        name = f"{CHECKPOINTS}/trial-{lease.number}/{header.file_name}"
        row = Artifact(name, header.digest, path.stat().st_size)
        if register(store, lease, [row], ()) is None:
            return
        if not artifacts.exists(row.digest):
            artifacts.write(row.digest, path)
        remove_unnamed(store, artifacts, register(store, lease, [row], (CHECKPOINTS,)) or [])


def far_checkpoints(study: OpenStudy, checkpoints: StudyCheckpoints) -> dict[int, Artifact]:
    """Return the checkpoints of waiting trials that are newer than those on this machine: trial number -> the file."""
    waiting = {trial.number for trial in study.optuna.get_trials(deepcopy=False, states=(TrialState.WAITING,))}
    if not waiting:
        return {}
    newest = {
        number: max(files, key=_n_epochs) for number, files in read(study, (CHECKPOINTS,)).items() if number in waiting
    }
    found = {}
    for number, file in newest.items():
        here = checkpoints.newest(number, sys.maxsize)
        if here is None or here.n_epochs < _n_epochs(file):
            found[number] = file
    return found


def fetch_checkpoint(artifacts: ArtifactStore, out: Path, file: Artifact) -> None:
    """Fetch a checkpoint into the results folder `out`, where its trial's process looks for it.

    Raises:
        TunefrontError: If it cannot be had, or has changed.
        OSError: If it cannot be written.
    """
    target = out / file.name
    refuse_link(target.parent.parent)
    refuse_link(target.parent)
    target.parent.mkdir(parents=True, exist_ok=True)
    fetch(artifacts, file.digest, target)


def _n_epochs(file: Artifact) -> int:
    """Return the epochs before a checkpoint, which its name begins with."""
    return int(Path(file.name).name.partition("-")[0])
