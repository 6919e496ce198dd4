"""The signals that interrupt a run, such as Ctrl-C, which is asked for them at safe moments."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def interruptible(say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C or SIGTERM came, so that no write to the store is cut in two."""
    is_noted = is_told = False

    def note(signal_number: int, frame: object) -> None:
        nonlocal is_noted
        is_noted = True  # nothing is printed here, because the signal may have come in the middle of printing a line

    def is_interrupted() -> bool:
        nonlocal is_told
        if is_noted and not is_told:
            is_told = True
            say("stopping: running trials go back to the queue ...")
        return is_noted

    # Ignored signals stay ignored: SIGHUP under nohup, SIGINT in the background of a script.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield is_interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
