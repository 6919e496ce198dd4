"""A sign that a command is at work: a spinner in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import TextIO

from tunefront.commands.screen.reminder import Reminder
from tunefront.commands.terminal import make_console, say

_PATIENCE_SECONDS = 1.5  # what is done before then needs no line


@contextlib.contextmanager
def at_work(what: str) -> Iterator[None]:
    """Show on stderr what takes long: in a terminal at once, in a log once it has taken more than a second.

    A log is told again every some seconds for how long already.
    """
    with _kept_stderr() as stderr:
        console = make_console(file=stderr)
        with console.status(f"{what} ...") if console.is_terminal else _reminded(what, stderr):
            yield


@contextlib.contextmanager
def _kept_stderr() -> Iterator[TextIO]:
    """Yield standard error by a descriptor of its own: the usual one is silenced while a framework loads."""
    try:
        descriptor = os.dup(sys.stderr.fileno())
    except (OSError, ValueError):  # a stream without a descriptor, such as a test's
        yield sys.stderr
        return
    with os.fdopen(descriptor, "w", encoding=sys.stderr.encoding, errors=sys.stderr.errors) as stderr:
        yield stderr


@contextlib.contextmanager
def _reminded(what: str, stderr: TextIO) -> Iterator[None]:
    began_at = time.monotonic()
    reminder = Reminder(partial(say, stream=stderr))

    def begin() -> None:
        say(f"{what} ...", stderr)
        reminder.expect(lambda: f"{what} ... {time.monotonic() - began_at:.0f} s")

    line = threading.Timer(_PATIENCE_SECONDS, begin)
    line.daemon = True
    line.start()
    try:
        yield
    finally:
        line.cancel()
        line.join()  # otherwise it might begin to remind after the end
        reminder.close()
