"""Results that a worker brought to artifacts because the store could not be told of them.

No row names them, so they are found by looking: each is a file in ``spool/STUDY``, under the digest of its own content.
Should the worker's machine be lost before the store is back, another worker tells the store.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tunefront.mistakes import TunefrontError
from tunefront.storage.artifacts.artifact_store import (
    SPOOL,
    ArtifactsAwayError,
    ArtifactStore,
    MissingArtifactError,
    digest_of,
    fetch,
    key_of,
)
from tunefront.storage.artifacts.rows import Artifact
from tunefront.storage.folder_owner import TIME_TOLERANCE_SECONDS
from tunefront.storage.open_study import StudyRecord


@dataclass(frozen=True)
class SpooledResult:
    """A result in artifacts.

    Attributes:
        digest: The SHA-256 of its own file.
        text: The result, as whoever wrote it reads it.
        files: The files of its trial, which lie in the same place.
    """

    digest: str
    text: str
    files: tuple[Artifact, ...]


def put(artifacts: ArtifactStore, study: StudyRecord, text: str, files: Sequence[Artifact]) -> str:
    """Bring a result; return the digest of its file. The same result has the same digest.

    Raises:
        ArtifactsAwayError: If the place cannot be used now.
    """
    # Studies of two storages may have one name, and one place.
    content = {"made_at": study.created_at, "result": text, "files": [asdict(file) for file in files]}
    with tempfile.TemporaryDirectory(prefix="tunefront-") as folder:
        path = Path(folder) / "result.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        digest = digest_of(path)
        artifacts.write(digest, path, _folder(study))
    return digest


def read_spooled(artifacts: ArtifactStore, study: StudyRecord) -> tuple[list[SpooledResult], list[str]]:
    """Read the study's results that are there, and a line for each file that cannot be read.

    Raises:
        ArtifactsAwayError: If the place cannot be used now.
    """
    found, problems = [], []
    with tempfile.TemporaryDirectory(prefix="tunefront-") as folder:
        path = Path(folder) / "result.json"
        for digest in list(artifacts.digests(_folder(study))):
            try:
                fetch(artifacts, digest, path, _folder(study))
                content = json.loads(path.read_text(encoding="utf-8"))
                if abs(float(content["made_at"]) - study.created_at) > TIME_TOLERANCE_SECONDS:
                    continue
                files = tuple(Artifact(**file) for file in content["files"])
                found.append(SpooledResult(digest, str(content["result"]), files))
            except ArtifactsAwayError:
                raise
            except MissingArtifactError:  # it was delivered meanwhile
                continue
            except (TunefrontError, ValueError, TypeError, KeyError) as error:
                problems.append(f"{artifacts.address}/{key_of(digest, _folder(study))} cannot be used: {error}")
    return found, problems


def drop(artifacts: ArtifactStore, study: StudyRecord, digest: str) -> None:
    """Remove a result, if it is there; its trial's files stay."""
    artifacts.remove(digest, _folder(study))


def _folder(study: StudyRecord) -> str:
    return f"{SPOOL}/{study.name}"
