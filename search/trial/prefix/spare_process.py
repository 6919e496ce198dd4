"""A process that is forked before a framework's runtime starts, for work that must not be done in this one.

A process whose runtime has started cannot be forked any more, and starting another one would load Keras again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any


class SpareProcess:
    """A process that waits for one request, and ends with this one at the latest.

    Args:
        answer: What it runs with the request; what it returns is sent back. It must raise nothing.
        closes: A descriptor that it must not keep open.
    """

    def __init__(self, answer: Callable[[Any], Any], closes: int | None = None) -> None:
        self._connection, theirs = Pipe()
        self._pid = os.fork()
        if not self._pid:
            try:
                self._connection.close()
                if closes is not None:
                    os.close(closes)
                _serve(theirs, answer)
            finally:
                os._exit(0)
        theirs.close()

    def ask(self, request: Any) -> Any:
        """Send the request, and wait for the answer.

        Raises:
            EOFError, OSError: If the process has ended without one.
        """
        self._connection.send(request)
        return self._connection.recv()

    def close(self) -> None:
        """Let it end, and wait until it has."""
        self._connection.close()
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _serve(connection: Connection, answer: Callable[[Any], Any]) -> None:
    with suppress(EOFError, OSError):
        request = connection.recv()
        ended = threading.Event()
        threading.Thread(target=_end_with, args=(connection, ended), daemon=True).start()
        connection.send(answer(request))
        ended.wait()  # what it holds, such as locks, it holds until nobody waits for it any more


def _end_with(connection: Connection, ended: threading.Event) -> None:
    with suppress(EOFError, OSError):
        connection.recv()  # nothing is sent any more: it ends when the other side does
    ended.set()
    os._exit(0)
