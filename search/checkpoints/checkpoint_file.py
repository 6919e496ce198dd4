"""The file of one checkpoint: an ``.npz`` archive of plain arrays, with its header and further state as JSON inside.

Nothing in it is code: arrays are written and read without pickle.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.storage.files import sync

_HEADER, _STATE = "header.json", "state.json"
_CHUNK_BYTES = 1 << 20


class CheckpointContent:
    """The content of an open checkpoint.

    Attributes:
        state: What is no array, as JSON data.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.state: Mapping[str, Any] = json.loads(archive.read(_STATE))

    def names(self) -> list[str]:
        """Return the names of all arrays."""
        return [name.removesuffix(".npy") for name in self._archive.namelist() if name.endswith(".npy")]

    def array(self, name: str) -> NDArray[Any]:
        """Read an array.

        Raises:
            KeyError: If there is none of this name.
        """
        with self._archive.open(f"{name}.npy") as member:
            array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
        return array


def write_checkpoint(
    folder: Path, header: CheckpointHeader, state: Mapping[str, Any], arrays: Iterable[tuple[str, NDArray[Any]]]
) -> CheckpointHeader:
    """Write a checkpoint whole: it has its name only when the disk has its content.

    Arrays are written one after another as they come, so that they need not lie in memory together.

    Args:
        folder: The trial's folder, which is made if it is missing.
        header: The header; its digest is not read.

    Returns:
        The header with the digest.

    Raises:
        OSError: If it cannot be written, such as on a full disk; what was there before is as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{os.getpid()}.partial"
    try:
        partial.unlink(missing_ok=True)
        with partial.open("xb") as file:  # "x" refuses an existing file, so a link is not followed
            digested = _Digested(file)
            with zipfile.ZipFile(cast(IO[bytes], digested), "w", zipfile.ZIP_STORED) as archive:
                archive.writestr(_HEADER, json.dumps(asdict(replace(header, digest=""))))
                archive.writestr(_STATE, json.dumps(state))
                for name, array in arrays:
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        written = replace(header, digest=digested.digest.hexdigest())
        partial.replace(folder / written.file_name)
        sync(folder)
    finally:
        partial.unlink(missing_ok=True)
    return written


def read_header(path: Path) -> CheckpointHeader | None:
    """Return the header of the checkpoint at `path`; None if the file is not whole, or is none."""
    digest = path.stem.partition("-")[2]
    try:
        if _digest(path) != digest:
            return None
        with zipfile.ZipFile(path) as archive:
            fields = json.loads(archive.read(_HEADER))
        header = CheckpointHeader(**{**fields, "devices": tuple(fields["devices"]), "digest": digest})
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None
    return header if header.file_name == path.name else None


@contextlib.contextmanager
def opened_checkpoint(folder: Path, header: CheckpointHeader) -> Iterator[CheckpointContent]:
    """Open a checkpoint that :func:`read_header` found whole.

    Raises:
        OSError: If it cannot be read.
    """
    with zipfile.ZipFile(folder / header.file_name) as archive:
        yield CheckpointContent(archive)


class _Digested:
    """A file that is only written forwards, with the digest of what went into it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
