"""What a place for artifacts does: it keeps files under their digests."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from tunefront.mistakes import TunefrontError
from tunefront.storage.files import sync

README = "README.txt"
SPOOL = "spool"  # the folder of results that the store could not be told, with one for each study in it
README_TEXT = (
    "Files of studies that tunefront has searched, each under its SHA-256. Which study and trial a file belongs to is "
    "in the studies' storage: without it nobody can tell.\n"
)
_CHUNK_BYTES = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ArtifactsAwayError(TunefrontError):
    """The place cannot be reached, read or written now; the message says why, and names no key to it."""


class MissingArtifactError(TunefrontError):
    """The place has no such file."""


class ChangedArtifactError(TunefrontError):
    """A file there has another content than it was written with; the message names it."""


class ArtifactStore(Protocol):
    """A place that keeps files, each under the SHA-256 of its content. All of it may be called from any thread.

    Everything raises :class:`ArtifactsAwayError` where the place cannot be used. A `folder` is for files that are
    found by looking there: nothing else names them.
    """

    @property
    def address(self) -> str:
        """The address, which a person may see and the storage keeps."""
        ...

    def prepare(self) -> None:
        """Make the place ready, and so find out whether it can be written."""
        ...

    def write(self, digest: str, source: Path, folder: str = "") -> None:
        """Write a file: it is there whole when this returns, for good, and not at all before."""
        ...

    def open(self, digest: str, folder: str = "") -> BinaryIO:
        """Open a file for reading; its digest is not checked yet.

        Raises:
            MissingArtifactError: If it is not there.
        """
        ...

    def exists(self, digest: str, n_bytes: int | None = None) -> bool:
        """Return whether the file is there; with `n_bytes`, whether it is there and so long."""
        ...

    def remove(self, digest: str, folder: str = "") -> None:
        """Remove a file, if it is there."""
        ...

    def digests(self, folder: str = "") -> Iterator[str]:
        """Yield the digest of each file that is there, in `folder` alone."""
        ...


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_of(digest: str, folder: str = "") -> str:
    """Return the path of a file within the place: ``FOLDER/abc...``, or ``sha/ab/abc...``, so that no folder is big."""
    return f"{folder}/{digest}" if folder else f"sha/{digest[:2]}/{digest}"


def is_digest(text: str) -> bool:
    """Return whether a text is a SHA-256 in hexadecimal digits."""
    return _DIGEST.fullmatch(text) is not None


def bring(store: ArtifactStore, digest: str, n_bytes: int, source: Path) -> None:
    """Write a file unless the place has it; one that is torn there, as another length tells, is written anew.

    Raises:
        FileNotFoundError: If `source` is gone.
    """
    if not store.exists(digest, n_bytes):
        store.write(digest, source)


def fetch(store: ArtifactStore, digest: str, target: Path, folder: str = "") -> None:
    """Copy a file from the place to `target`, which gets its name only if the content is what was written once.

    Raises:
        MissingArtifactError: If it is not there.
        ChangedArtifactError: If its content has changed.
        OSError: If `target` cannot be written.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    try:
        with store.open(digest, folder) as source, partial.open("xb") as file:  # "x" refuses a link that stands there
            found = _copy(source, file, store.address)
        if found != digest:
            raise ChangedArtifactError(
                f"{target.name} in {store.address} ({key_of(digest, folder)}) has changed since it was written: its "
                f"SHA-256 is {found} now. It is not used: put the file back, or train the model again"
            )
        sync(partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _copy(source: BinaryIO, target: BinaryIO, address: str) -> str:
    """Copy all of `source`, and return its digest."""
    digest = hashlib.sha256()
    while chunk := _read(source, address):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()


def _read(source: BinaryIO, address: str) -> bytes:
    """Read a part; any error of reading is one of the place, because a bucket's library has errors of its own."""
    try:
        return source.read(_CHUNK_BYTES)
    except Exception as error:
        raise ArtifactsAwayError(f"{address} cannot be read: {str(error) or type(error).__name__}") from error
