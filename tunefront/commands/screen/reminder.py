"""A reminder in a log of what is under way, whenever nothing was printed there for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

QUIET_SECONDS = 12.0  # the longest time in which a log gets no line
_LOOK_SECONDS = 0.5


class Reminder:
    """A thread that prints a line on what is under way whenever a log was quiet for long.

    Args:
        say: Prints a line; the thread calls it.
        clock: A clock in seconds.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._said_at = clock()
        self._describe: Callable[[], str] | None = None
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def expect(self, describe: Callable[[], str]) -> None:
        """Tell how to describe what is under way from now on; the thread starts with the first of these."""
        self._describe = describe
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()

    def note_line(self) -> None:
        """Note that a line was printed, so that the quiet begins anew."""
        self._said_at = self._clock()

    def look(self) -> None:
        """Print what is under way, if the log was quiet for long."""
        with self._lock:
            if self._describe is not None and self._clock() - self._said_at >= QUIET_SECONDS:
                self.note_line()
                self._say(self._describe())

    def close(self) -> None:
        """End the thread; it prints nothing afterwards."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(_LOOK_SECONDS):
            self.look()
