"""Artifacts in a folder, such as one that all machines mount.

Optuna's own folder store writes in place, so that a killed process leaves half a file under its name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from tunefront.storage.artifacts.artifact_store import (
    README,
    README_TEXT,
    SPOOL,
    ArtifactsAwayError,
    MissingArtifactError,
    is_digest,
    key_of,
)
from tunefront.storage.files import replace_file, sync

_PARTIAL = ".partial"
_CHUNK_BYTES = 1 << 20
_OLD_SECONDS = 24 * 3600.0  # a file that a killed process left half written is removed after a day


class FolderArtifacts:
    """Artifacts below one folder.

    Args:
        folder: An absolute path.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def address(self) -> str:
        """The folder's path."""
        return str(self._folder)

    def prepare(self) -> None:
        """Make the folder, and remove what killed processes left half written there long ago."""
        if self._folder.exists() and not self._folder.is_dir():
            raise ArtifactsAwayError(f"--artifacts {self.address}: this is a file. Name a folder")
        with self._explained("written"):
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._folder / README, README_TEXT)
            for path in chain(*(self._folder.glob(f"{where}/*/*{_PARTIAL}") for where in ("sha", SPOOL))):
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime < time.time() - _OLD_SECONDS:
                        path.unlink()

    def write(self, digest: str, source: Path, folder: str = "") -> None:
        """Write a file beside its final name, bring it to the disk, and rename it."""
        content = source.open("rb")  # an error of the source is none of the folder
        path = self._path(digest, folder)
        # Processes of other machines may write the same file, so that a process's number is no name for a part of it.
        partial = path.with_name(f".{uuid.uuid4().hex}{_PARTIAL}")
        with content, self._explained("written"):
            made = [each for each in path.parents if not each.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with partial.open("xb") as file:
                    found = hashlib.sha256()
                    while chunk := content.read(_CHUNK_BYTES):
                        found.update(chunk)
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                if found.hexdigest() != digest:
                    raise OSError(f"{source} was changed while it was copied")
                partial.replace(path)
                for parent in (path.parent, *(each.parent for each in made)):
                    sync(parent)
            finally:
                partial.unlink(missing_ok=True)

    def open(self, digest: str, folder: str = "") -> BinaryIO:
        """Open a file for reading."""
        try:
            with self._explained("read"):
                return self._path(digest, folder).open("rb")
        except FileNotFoundError:
            raise MissingArtifactError(f"{self.address} has no {key_of(digest, folder)}") from None

    def exists(self, digest: str, n_bytes: int | None = None) -> bool:
        """Return whether the file is there, and so long; an error where the folder itself is not."""
        with self._explained("read"):
            with contextlib.suppress(FileNotFoundError):
                n_found = self._path(digest).stat().st_size
                return n_bytes is None or n_found == n_bytes
            self._check_mounted()
        return False

    def remove(self, digest: str, folder: str = "") -> None:
        """Remove a file, if it is there."""
        with self._explained("written"):
            self._path(digest, folder).unlink(missing_ok=True)

    def digests(self, folder: str = "") -> Iterator[str]:
        """Yield the digest of each file that is there, in `folder` alone."""
        with self._explained("read"):
            self._check_mounted()
            yield from sorted(path.name for path in self._folder.glob(f"{folder or 'sha/*'}/*") if is_digest(path.name))

    def _check_mounted(self) -> None:
        """Tell a folder that is not mounted, which may be there and empty, from one that lacks a file."""
        os.listdir(self._folder)
        if not (self._folder / README).is_file():
            raise ArtifactsAwayError(f"{self.address} has no {README}, which every run writes: is it mounted?")

    def _path(self, digest: str, folder: str = "") -> Path:
        return self._folder / key_of(digest, folder)

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turn errors of the system into those of a place; that a file below the folder is missing is none."""
        try:
            yield
        except FileNotFoundError as error:
            if self._folder.is_dir() and what == "read":
                raise
            raise ArtifactsAwayError(f"{self.address} cannot be {what}: {error.strerror}") from error
        except OSError as error:
            raise ArtifactsAwayError(f"{self.address} cannot be {what}: {error.strerror or error}") from error
