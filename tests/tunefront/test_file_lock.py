"""The lock of an open file: one holds it, it falls with its holder, and a file that may only be read has it too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tunefront.file_lock import locked, try_lock

HOLDER = """
import os, sys, time
from tunefront.file_lock import locked
with locked(os.open(sys.argv[1], os.O_RDWR)):
    print("held", flush=True)
    time.sleep(100)
"""


@pytest.fixture
def path(any_folder: Path) -> Path:
    """A file to lock."""
    path = any_folder / "lock"
    path.touch()
    return path


def opened(path: Path) -> int:
    return os.open(path, os.O_RDONLY)


def test_one_holds_it_and_the_file_stays(path: Path) -> None:
    other = opened(path)
    with locked(opened(path)):
        assert not try_lock(other)
    assert try_lock(other)
    os.close(other)
    assert path.exists()


def test_it_falls_when_something_fails(path: Path) -> None:
    with pytest.raises(KeyError, match="lost"), locked(opened(path)):
        raise KeyError("lost")
    with locked(opened(path)):
        pass


def test_who_has_it_may_take_it_again(path: Path) -> None:
    descriptor = opened(path)
    assert try_lock(descriptor)
    with locked(descriptor):
        pass
    with pytest.raises(OSError, match="Bad file descriptor"):  # closed
        os.fstat(descriptor)


def test_it_falls_with_its_holder_and_waiting_is_told(path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    told = []

    def waiting() -> None:
        if not told:
            holder.send_signal(signal.SIGKILL)
        told.append(holder.wait())

    with locked(opened(path), waiting):
        assert told
    holder.stdout.close()
