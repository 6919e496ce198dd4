"""One process at a time, among all of this machine that use the same cache."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from search.data.examples import DataError

_WAIT_SECONDS = 0.1


@contextmanager
def alone(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock at `path`; `waiting` is called again and again while another process holds it.

    The lock falls with its holder, however that ends. The file stays: removing it would let two in.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not _try(descriptor, path):
            waiting()
            time.sleep(_WAIT_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _try(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise DataError(
            f"{path.parent}: files cannot be locked there ({error.strerror}), as on some network drives: "
            "set TUNEFRONT_CACHE to a folder of this machine"
        ) from None
    return True
