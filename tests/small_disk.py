"""A small disk that a test fills and empties: a real one, of memory, where the user may mount it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class SmallDisk:
    """A folder on a disk of its own.

    Attributes:
        folder: Where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Take all the room that is left."""
        with self._filler.open("wb", buffering=0) as filler:
            for size in (1 << 20, 1 << 10):
                with contextlib.suppress(OSError):
                    while filler.write(bytes(size)):
                        pass

    def empty(self) -> None:
        """Give that room back, if it is taken."""
        self._filler.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk_at(folder: Path, size: str, owner: int | None = None) -> Iterator[SmallDisk]:
    """Mount a disk of that size at a new folder; the test is skipped where that is not allowed."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("needs the right to mount a small disk")
    if owner is not None:
        os.chown(folder, owner, -1)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
