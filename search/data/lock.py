"""A lock that one process at a time holds, or several share, among all of this machine that use the same cache."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tunefront.file_lock import locked, try_lock, try_share, unlock
from tunefront.search.data.cache_folder import share
from tunefront.search.data.examples import DataError

_WAIT_SECONDS = 0.1


@contextmanager
def alone(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock at `path`; `waiting` is called again and again while another process holds it.

    The lock is released when its holder ends, however that happens. The file stays, because removing it would let two
    processes in.
    """
    with locked(_lockable(path), waiting):
        yield


@contextmanager
def alone_unless(path: Path, is_done: Callable[[], bool]) -> Iterator[bool]:
    """Hold the lock at `path`, or yield False as soon as others share it and `is_done` says that it is not needed."""
    descriptor = _lockable(path)
    try:
        while not try_lock(descriptor):
            if try_share(descriptor):
                if is_done():
                    yield False
                    return
                unlock(descriptor)  # two that share it would wait for one another
            time.sleep(_WAIT_SECONDS)
        yield True
    finally:
        os.close(descriptor)


def share_lock(path: Path) -> int:
    """Share the lock at `path` with others that share it, as soon as nobody holds it alone.

    Returns:
        The open file: whoever closes it, or ends, no longer shares the lock.
    """
    descriptor = _lockable(path, try_share)
    while not try_share(descriptor):
        time.sleep(_WAIT_SECONDS)
    return descriptor


def _lockable(path: Path, attempt: Callable[[int], bool] = try_lock) -> int:
    """Open the file of a lock, and check that files can be locked there; the lock may be held afterwards."""
    descriptor = _opened(path)
    try:
        attempt(descriptor)
    except OSError as error:
        os.close(descriptor)
        raise DataError(
            f"{path.parent}: files cannot be locked there ({error.strerror}), as on some network drives: "
            "set TUNEFRONT_CACHE to a folder of this machine"
        ) from None
    return descriptor


def _opened(path: Path) -> int:
    """Open the file of a lock; if it is not there, make it for all users of its folder."""
    for flags in (os.O_RDWR, os.O_RDONLY):  # another user's file may be read-only, which is enough for a lock
        with contextlib.suppress(FileNotFoundError, PermissionError):
            return os.open(path, flags)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:  # another process has just made it
            return os.open(path, os.O_RDONLY)
        share(path)
    except OSError as error:
        raise DataError(
            f"{path.parent}: this user cannot prepare data there ({error.strerror}): set TUNEFRONT_CACHE to another "
            "folder, or have its owner give you the right to write"
        ) from None
    return descriptor
