"""Files that a user names: opened only if they are regular files, because reading a pipe or a device may never end.

Errors of writing name the file.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def user_path(text: str) -> Path:
    """Return the path that a user wrote, with ``~`` as a home folder; ``~name`` of an unknown user stays as it is."""
    return Path(os.path.expanduser(text))  # Path.expanduser raises for an unknown user


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading; never waits for a writer.

    Raises:
        OSError: If it cannot be opened or is no regular file; its `strerror` says what it is.
    """
    # Without O_NONBLOCK, opening a pipe would wait until somebody writes into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
        if kind != stat.S_IFREG:
            what = f"it is {_KINDS.get(kind, 'something else')}, and no file: copy its content into one"
            raise OSError(errno.EINVAL, what, str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """Add the file's name to an OSError that has none, such as that of writing to a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise


_MAX_TEXT_BYTES = 500_000_000


def read_text_file(path: Path) -> bytes:
    """Return the content of a file of text, unpacked if its name ends in ``.gz``.

    Raises:
        OSError: As :func:`open_file`, if it is damaged, or if there is more than a table can be, also unpacked.
        EOFError, zlib.error: If what is packed is cut off or damaged.
    """
    if path.suffix != ".gz":
        return read_file(path, _MAX_TEXT_BYTES)
    # A file of a megabyte can unpack to a thousand megabytes, so it is read only up to the limit.
    with open_file(path) as packed, gzip.GzipFile(fileobj=packed) as file:
        return _read_at_most(file, path, _MAX_TEXT_BYTES)


def read_file(path: Path, at_most: int) -> bytes:
    """Return the whole content of a file.

    Raises:
        OSError: As :func:`open_file`, or if there are more than `at_most` bytes.
    """
    with open_file(path) as file:
        return _read_at_most(file, path, at_most)


def _read_at_most(file: BinaryIO | gzip.GzipFile, path: Path, at_most: int) -> bytes:
    content = file.read(at_most + 1)
    if len(content) > at_most:
        raise OSError(errno.EFBIG, f"it has more than {at_most:,} bytes", str(path))
    return content
