"""A sign that a command is at work: a spinner in a terminal, a line elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

from tunefront.commands.terminal import make_console, say

_PATIENCE_SECONDS = 1.5  # what is done before then needs no line


@contextlib.contextmanager
def at_work(what: str) -> Iterator[None]:
    """Show on stderr what takes long: in a terminal at once, in a log once it has taken more than a second."""
    console = make_console(stderr=True)
    if console.is_terminal:
        with console.status(f"{what} ..."):
            yield
        return
    line = threading.Timer(_PATIENCE_SECONDS, say, [f"{what} ...", sys.stderr])
    line.daemon = True
    line.start()
    try:
        yield
    finally:
        line.cancel()
