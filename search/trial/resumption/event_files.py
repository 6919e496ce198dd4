"""TensorBoard's logs of a trial, cut where a training goes on: no step stands in them twice."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from tunefront.storage.files import replace_file

_LENGTH = struct.Struct("<Q")  # a record: the length of its data, 4 bytes of checksum, the data, 4 bytes of checksum
_CHECKSUM_BYTES = 4


def cut_logs(folder: Path, n_epochs: int) -> None:
    """Remove from the logs in `folder` what an earlier attempt wrote after its first `n_epochs` epochs.

    A file of which nothing is left is removed.

    Raises:
        OSError: If a file cannot be written.
    """
    for path in sorted(folder.rglob("events.out.tfevents.*")) if n_epochs else ():
        content = path.read_bytes()
        kept = b"".join(record for record, step in _records(content) if step < n_epochs)
        if kept != content:
            replace_file(path, kept)
    if not n_epochs:
        for path in sorted(folder.rglob("events.out.tfevents.*")):
            path.unlink()


def _records(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield each whole record and its step; a killed process may leave a part of one at the end."""
    import tensorflow as tf  # TensorBoard's callback needs it under every backend

    place = 0
    while place + _LENGTH.size <= len(content):
        begin = place + _LENGTH.size + _CHECKSUM_BYTES
        end = begin + _LENGTH.unpack_from(content, place)[0]
        if end + _CHECKSUM_BYTES > len(content):
            return
        yield content[place : end + _CHECKSUM_BYTES], tf.compat.v1.Event.FromString(content[begin:end]).step
        place = end + _CHECKSUM_BYTES
