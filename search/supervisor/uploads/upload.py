"""The upload of one result's files: its trial's log, and its model with all that lies beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from optuna.trial import TrialState

from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.search.system.links import refuse_link
from tunefront.storage.artifacts.artifact_store import ArtifactStore, digest_of
from tunefront.storage.artifacts.rows import LOGS, MODELS, Artifact, register, remove_unnamed
from tunefront.storage.database.connection import Store
from tunefront.storage.outcomes import STATES


def is_for_good(result: TrialResult) -> bool:
    """Return whether a trial has ended with a result, and does not go back to the queue."""
    return STATES[result.outcome] != TrialState.WAITING


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
        if not artifacts.exists(row.digest):
            artifacts.write(row.digest, files[row.name])
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
