"""Children that have done a task and wait for one that is alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunefront.search.launching.fork_server import Child
from tunefront.search.launching.machine import free_memory_share

_FREE_SHARE = 0.5  # of the machine's memory: with less, no child waits


class SpareChildren:
    """The waiting children of one supervisor: those of its own tasks alone.

    Args:
        free_share: Returns the share of the machine's memory that is available.
    """

    def __init__(self, free_share: Callable[[], float] = free_memory_share) -> None:
        self._free_share = free_share
        self._waiting: list[tuple[Any, Child]] = []

    def keep(self, kind: Any, child: Child) -> bool:
        """Let a child wait that has sent its last message, and return whether it does.

        Args:
            kind: What must be equal in a task that it takes next.
        """
        if child.process.exitcode is not None or self._free_share() < _FREE_SHARE:
            return False
        self._waiting.append((kind, child))
        return True

    def pass_on(self, kind: Any, task: Any, log_path: Path) -> Child | None:
        """Give a task to a child that waits for one of this kind, and return it; None if there is none.

        Raises:
            OSError: If the log, or its folder, is a link.
        """
        for waiting in [each for each in self._waiting if each[0] == kind]:
            self._waiting.remove(waiting)
            if waiting[1].pass_on(task, log_path):
                return waiting[1]
            waiting[1].kill()  # it has died while it waited
        return None

    def end(self) -> None:
        """End all of them."""
        while self._waiting:
            self._waiting.pop()[1].kill()
