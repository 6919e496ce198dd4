"""The upload of one result's files: its trial's log, and its model with all that lies beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from optuna.trial import TrialState

from tunefront.search.checkpoints.trial_folder import folder_of, newest_whole
from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.search.supervisor.uploads.far_checkpoints import upload_turn
from tunefront.search.system.links import refuse_link
from tunefront.storage.artifacts.artifact_store import ArtifactStore, bring, digest_of
from tunefront.storage.artifacts.rows import LOGS, MODELS, Artifact, register, remove_unnamed
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import STATES, Outcome


def is_for_good(result: TrialResult) -> bool:
    """Return whether a trial has ended with a result, and does not go back to the queue."""
    return STATES[result.outcome] != TrialState.WAITING


def needs_upload(result: TrialResult) -> bool:
    """Return whether files of a result are brought to the artifacts before it is told: of an end, or of a turn's."""
    return is_for_good(result) or result.outcome is Outcome.PAUSED


def upload_files(study: OpenStudy, artifacts: ArtifactStore, result: TrialResult, spool: Spool, out: Path) -> list[str]:
    """Bring the files of a result that are here to the artifacts: see :func:`upload` and :func:`upload_turn`.

    Args:
        out: The study's results folder.
    """
    if result.outcome is not Outcome.PAUSED:
        return upload(study.store, artifacts, result, files_of(result, spool, out))
    folder = folder_of(out, result.lease.number)
    header = newest_whole(folder)  # that of the turn's end: nobody trains the trial before its result is told
    if header is not None:
        upload_turn(study, artifacts, lease=result.lease, header=header, path=folder / header.file_name)
    return []


def files_of(result: TrialResult, spool: Spool, out: Path) -> dict[str, Path]:
    """Return the files of a result that are here: name in a results folder -> path.

    Args:
        out: The study's results folder.
    """
    number = result.lease.number
    found = {f"{MODELS}/trial-{number}.{ending}": path for ending, path in spool.model_files(result).items()}
    log = f"{LOGS}/trial-{number}.log"
    return {**found, log: out / log} if (out / log).is_file() else found


def upload(store: Store, artifacts: ArtifactStore, result: TrialResult, files: Mapping[str, Path]) -> list[str]:
    """Bring a result's files to the artifacts; nothing if its lease is no longer held, so that it will be refused.

    It may run twice.

    Returns:
        A line for each file that is left out, because it cannot be read or is a link: no repetition would mend that.

    Raises:
        ArtifactsAwayError: If the place cannot be used now.
        OSError: If a file went away meanwhile; it is left out the next time.
    """
    rows, problems = describe_files(files)
    dropped = register(store, result.lease, rows, (MODELS, LOGS))
    if dropped is None:
        return []
    for row in rows:
        bring(artifacts, row.digest, row.n_bytes, files[row.name])
    remove_unnamed(store, artifacts, dropped)
    return problems


def describe_files(files: Mapping[str, Path]) -> tuple[list[Artifact], list[str]]:
    """Return files as rows name them, and a line for each that cannot be read or is a link."""
    rows, problems = [], []
    for name, path in files.items():
        try:
            refuse_link(path)
            rows.append(Artifact(name, digest_of(path), path.stat().st_size))
        except OSError as error:
            problems.append(f"{path} is not brought to the artifacts: {error.strerror or error}")
    return rows, problems
