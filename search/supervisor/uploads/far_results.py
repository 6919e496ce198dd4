"""Results in a study's artifacts that the store could not be told: a machine that is lost meanwhile loses none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.uploads.upload import describe_files
from tunefront.storage.artifacts import spooled
from tunefront.storage.artifacts.artifact_store import ArtifactStore, bring
from tunefront.storage.artifacts.rows import LOGS, MODELS, Artifact, register
from tunefront.storage.attempts import is_held
from tunefront.storage.open_study import OpenStudy


class Records(Protocol):
    """What tells the store of a result."""

    def record(self, result: TrialResult) -> bool:
        """Tell the store how an attempt ended; return False if it is no longer open."""
        ...


@dataclass(frozen=True)
class FarResult:
    """A result in artifacts.

    Attributes:
        digest: The SHA-256 of its file there.
        result: It has no model if that is missing there.
        files: Its trial's files there.
        missing: The names of those that are missing there.
    """

    digest: str
    result: TrialResult
    files: tuple[Artifact, ...]
    missing: tuple[str, ...]


def keep_far(study: OpenStudy, artifacts: ArtifactStore, result: TrialResult, files: Mapping[str, Path]) -> str:
    """Bring a result and its files to the artifacts while the store is away; return the digest of the result's file.

    Raises:
        ArtifactsAwayError: If the place cannot be used now.
        OSError: If a file went away meanwhile.
    """
    rows, _ = describe_files(files)
    for row in rows:
        bring(artifacts, row.digest, row.n_bytes, files[row.name])
    return spooled.put(artifacts, study.record, result.as_text(), rows)


def read_far(study: OpenStudy, artifacts: ArtifactStore) -> tuple[list[FarResult], list[str]]:
    """Read the study's results in the artifacts, and a line for each that cannot be read.

    Raises:
        ArtifactsAwayError: If the place cannot be used now.
    """
    entries, problems = spooled.read_spooled(artifacts, study.record)
    found = []
    for entry in entries:
        try:
            result = TrialResult.of_text(entry.text)
        except (ValueError, TypeError, KeyError) as error:
            problems.append(f"a result in {artifacts.address} cannot be read: {error}")
            continue
        files = tuple(file for file in entry.files if artifacts.exists(file.digest))
        missing = tuple(file.name for file in entry.files if file not in files)
        if f"{MODELS}/trial-{result.lease.number}.keras" in missing:
            result = replace(result, model_path="")
        found.append(FarResult(entry.digest, result, files, missing))
    return found, problems


def deliver_far(study: OpenStudy, far: FarResult, delivery: Records, say: Callable[[str], None]) -> list[str]:
    """Tell the store of a result in the artifacts, if its attempt is still open; else it is refused.

    A worker that lives all the same, and tells the store itself, hears that its result is recorded.

    Args:
        say: Tells a person how that ended.

    Returns:
        The digests that the trial names no longer.
    """
    result = far.result
    number = result.lease.number
    was_open = is_held(study.store, result.lease)
    dropped = register(study.store, result.lease, far.files, (MODELS, LOGS)) or []
    is_recorded = delivery.record(result)
    if not is_recorded:
        say(
            f"trial {number}: a result in the artifacts is refused: another worker has taken the trial over, or a "
            "person ended it"
        )
    elif was_open:
        without = f", without {', '.join(far.missing)}" if far.missing else ""
        say(
            f"trial {number}: {result.outcome.value}: its result, which its lost worker left in the artifacts, is "
            f"delivered{without}"
        )
    return dropped
