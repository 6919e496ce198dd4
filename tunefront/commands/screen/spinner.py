"""A sign that a command is at work: a spinner in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial

from tunefront.commands.screen.reminder import Reminder
from tunefront.commands.terminal import make_console, say

_PATIENCE_SECONDS = 1.5  # what is done before then needs no line


@contextlib.contextmanager
def at_work(what: str) -> Iterator[None]:
    """Show on stderr what takes long: in a terminal at once, in a log once it has taken more than a second.

    A log is told again every some seconds for how long already.
    """
    console = make_console(stderr=True)
    if console.is_terminal:
        with console.status(f"{what} ..."):
            yield
        return
    began_at = time.monotonic()
    reminder = Reminder(partial(say, stream=sys.stderr))

    def begin() -> None:
        say(f"{what} ...", sys.stderr)
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
