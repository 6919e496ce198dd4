"""The records of a record file, each with its place; a compressed file is first copied uncompressed."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunefront.search.data.cache_folder import PARTIAL, RECORDS, make_cache_folder, note_use, share_to_read
from tunefront.search.data.examples import DataError, EncodedFile, readable

_HEADER_BYTES = 12  # before each record: its length in 8 bytes, and the checksum of these in 4
_FOOTER_BYTES = 4  # behind each record: its checksum
_COMPRESSED = (b"\x1f\x8b", b"\x78\x9c", b"\x78\xda", b"\x78\x01")  # how gzip and zlib begin
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # gzip or zlib, as the header says
_CHUNK_BYTES = 1_000_000


def read_records(path: Path, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield the place and the bytes of each record of an uncompressed file; `name` is for messages.

    Raises:
        DataError: If the file is cut off or corrupt, or TensorFlow is not installed.
    """
    tf = import_tensorflow()
    position, row = 0, 0
    check_lengths(path, name)
    try:
        # tf.data would start TensorFlow's runtime, which takes all of a GPU's memory. This iterator does not.
        for record in tf.compat.v1.io.tf_record_iterator(os.fsencode(path)):
            yield position + _HEADER_BYTES, record
            position += _HEADER_BYTES + len(record) + _FOOTER_BYTES
            row += 1
    except tf.errors.OpError as error:
        raise DataError(
            f"{name}: record {row} is corrupt or cut off ({error.message}): write or copy it again"
        ) from None
    n_bytes = path.stat().st_size
    if position != n_bytes:  # TensorFlow raises no error when the header of the next record is cut off
        raise DataError(f"{name}: record {row} is cut off at {n_bytes} bytes: write or copy the file again")


def check_lengths(path: Path, name: str, at_most: int | None = None) -> None:
    """Check that every record ends within the file: TensorFlow allocates as much memory as a record's length says.

    Args:
        name: For messages.
        at_most: Records to look at; None looks at all of them.

    Raises:
        DataError: Names the record that ends outside.
    """
    with path.open("rb") as file:
        n_bytes = os.fstat(file.fileno()).st_size
        position, row = 0, 0
        while position + _HEADER_BYTES <= n_bytes and row != at_most:
            file.seek(position)
            length = int.from_bytes(file.read(8), "little")
            position += _HEADER_BYTES + length + _FOOTER_BYTES
            if position > n_bytes:
                raise DataError(
                    f"{name}: record {row} is corrupt or cut off (it promises {length:,} bytes, and the file has "
                    f"{n_bytes:,}): copy it again"
                )
            row += 1


def is_compressed(path: Path) -> bool:
    """Return whether a file is compressed with gzip or zlib.

    A record's length may begin with the same bytes, so the first bytes are unpacked to find out.
    """
    with path.open("rb") as file:
        start = file.read(_CHUNK_BYTES)
    if not start.startswith(_COMPRESSED):
        return False
    try:
        return bool(zlib.decompressobj(_GZIP_OR_ZLIB).decompress(start, _HEADER_BYTES))
    except zlib.error:
        return False


def uncompressed(path: Path) -> Path:
    """Return the file itself, or a copy of a compressed one in the cache, where each record can be read at its place.

    Raises:
        DataError: If the file is cut off or corrupt, or there is no room for the copy.
    """
    if not is_compressed(path):
        return path
    stamp = EncodedFile(str(path)).stamp()
    stem = path.name.removesuffix(".gz")[:60]
    copy = make_cache_folder() / RECORDS / f"{stem}-{hashlib.sha256(repr(stamp).encode()).hexdigest()[:16]}"
    if not copy.exists():
        _uncompress(path, copy)
    note_use(copy)
    return copy


def _uncompress(path: Path, copy: Path) -> None:
    """Write the copy under another name, and rename it once it is whole."""
    try:
        descriptor, partial = tempfile.mkstemp(prefix=PARTIAL, dir=copy.parent)
    except OSError as error:
        raise _writing_error(copy, error) from None
    try:
        with os.fdopen(descriptor, "wb") as file, path.open("rb") as source:
            for chunk in _plain_chunks(source, readable(str(path))):
                file.write(chunk)
        share_to_read(Path(partial))
        os.rename(partial, copy)
    except OSError as error:
        raise _writing_error(copy, error) from None
    finally:
        Path(partial).unlink(missing_ok=True)


def _plain_chunks(source: Any, name: str) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    while data := source.read(_CHUNK_BYTES):
        try:
            while data:
                yield unpacker.decompress(data)
                data = unpacker.unused_data
                if unpacker.eof and data:  # a gzip file may hold several streams, one after another
                    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
        except zlib.error as error:
            raise DataError(f"{name}: its compressed data is corrupt ({error}): write or copy it again") from None
    if not unpacker.eof:
        raise DataError(f"{name}: its compressed data is cut off: write or copy it again")


def _writing_error(copy: Path, error: OSError) -> DataError:
    return DataError(
        f"{copy.parent}: the uncompressed copy of a record file cannot be written ({error.strerror}): make room there, "
        "or set TUNEFRONT_CACHE to another folder"
    )


def import_tensorflow() -> Any:
    """Import and return TensorFlow, which TFRecord files need whatever the backend is.

    Raises:
        DataError: If it is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError:
        raise DataError("TFRecord files need TensorFlow, which is not installed: pip install tensorflow") from None
    return tf
