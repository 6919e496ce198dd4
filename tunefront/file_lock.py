"""The lock of an open file, for one process at a time or several that share it.

It falls with its holder, however that ends; the file stays.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_WAIT_SECONDS = 0.1


def try_lock(descriptor: int) -> bool:
    """Lock an open file unless another process holds it; a file that may only be read can be locked too.

    Raises:
        OSError: If files cannot be locked there, as on some network drives.
    """
    return _try(descriptor, fcntl.LOCK_EX)


def try_share(descriptor: int) -> bool:
    """Share the lock of an open file with others that share it, unless a process holds it alone.

    Raises:
        OSError: See :func:`try_lock`.
    """
    return _try(descriptor, fcntl.LOCK_SH)


def unlock(descriptor: int) -> None:
    """No longer hold or share the lock of an open file."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(descriptor: int, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of an open file, and close the file in the end. The file stays: removing it would let two in.

    Args:
        waiting: Called again and again while another process holds it.

    Raises:
        OSError: See :func:`try_lock`.
    """
    try:
        while not try_lock(descriptor):
            waiting()
            time.sleep(_WAIT_SECONDS)
        yield
    finally:
        os.close(descriptor)
