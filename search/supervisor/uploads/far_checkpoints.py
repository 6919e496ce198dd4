"""The checkpoints of running trials on their way to the study's artifacts, so that others can go on from them."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints
from tunefront.search.supervisor.uploads.far_files import n_epochs_of
from tunefront.storage.artifacts.artifact_store import ArtifactStore, bring
from tunefront.storage.artifacts.rows import CHECKPOINTS, TURNS, Artifact, read, register, remove_unnamed, withdraw
from tunefront.storage.attempts import Lease
from tunefront.storage.open_study import OpenStudy

_KEPT_TURNS = 2  # as on a disk: a member that is behind may take weights of a turn that its donor has left


class NewCheckpoints:
    """The checkpoints of running trials that are to be brought to the artifacts, each trial's newest."""

    def __init__(self) -> None:
        self._new: dict[int, tuple[Lease, int]] = {}
        self._brought_at: dict[int, float] = {}

    def note(self, lease: Lease, epoch: int) -> None:
        """Note that a trial has a new one, up to this epoch."""
        self._new[lease.number] = (lease, epoch)

    def forget(self, number: int) -> None:
        """Forget that of a trial that has ended."""
        self._new.pop(number, None)

    def take_due(self, pause: float) -> list[tuple[Lease, int]]:
        """Return the leases and epochs of those trials that have brought none for so many seconds."""
        now = time.monotonic()
        due = [number for number in self._new if now - self._brought_at.get(number, -pause) >= pause]
        self._brought_at |= dict.fromkeys(due, now)
        return [self._new.pop(number) for number in due]


def upload_checkpoint(
    study: OpenStudy, artifacts: ArtifactStore, *, lease: Lease, epoch: int, checkpoints: StudyCheckpoints
) -> None:
    """Bring the newest whole checkpoint of a trial to the artifacts, and remove its older ones there.

    The older one stays until the newer is there. Nothing is done if the lease is no longer held.

    Args:
        epoch: The last epoch that the supervisor knows of: whoever goes on from a later checkpoint would lack some.

    Raises:
        ArtifactsAwayError: If the place cannot be used now.
    """
    header = checkpoints.newest(lease.number, epoch)
    if header is not None:
        path = checkpoints.folder(lease.number) / header.file_name
        _upload(study, artifacts, lease, header, path, {CHECKPOINTS: []})


def upload_turn(
    study: OpenStudy, artifacts: ArtifactStore, *, lease: Lease, header: CheckpointHeader, path: Path
) -> None:
    """Bring a member's checkpoint at the end of a turn to the artifacts: for itself, and for those that inherit it.

    It stands there as one of a turn only when it is whole. Older turns are removed but for the one before.

    Raises:
        ArtifactsAwayError: If the place cannot be used now.
    """
    earlier = [turn for turn in read(study, (TURNS,)).get(lease.number, []) if n_epochs_of(turn) < header.n_epochs]
    kept = sorted(earlier, key=n_epochs_of)[1 - _KEPT_TURNS :]
    _upload(study, artifacts, lease, header, path, {CHECKPOINTS: [], TURNS: kept})


def _upload(
    study: OpenStudy,
    artifacts: ArtifactStore,
    lease: Lease,
    header: CheckpointHeader,
    path: Path,
    folders: dict[str, Collection[Artifact]],
) -> None:
    """Bring a checkpoint, and let its name stand in these folders beside those that are kept there."""
    try:
        n_bytes = path.stat().st_size
    except FileNotFoundError:  # its process has written newer ones since, which come next
        return
    names = {folder: f"{folder}/trial-{lease.number}/{header.file_name}" for folder in folders}
    files = {folder: Artifact(name, header.digest, n_bytes) for folder, name in names.items()}
    if register(study.store, lease, [files[CHECKPOINTS]], ()) is None:
        return
    try:
        bring(artifacts, header.digest, n_bytes, path)
    except FileNotFoundError:
        withdraw(study.store, lease, names[CHECKPOINTS])
        return
    kept = [file for each in folders.values() for file in each]
    remove_unnamed(study.store, artifacts, register(study.store, lease, [*files.values(), *kept], tuple(folders)) or [])
