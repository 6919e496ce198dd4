"""The end of the program: at once when everything is closed, because Python takes a second to take itself apart."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn

_LOST_OUTPUT_CODE = 120  # that of Python when the last of the output cannot be written


def leave(code: int) -> NoReturn:
    """End the process with this code, once all is done that Python does before it takes its modules apart."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    # What was never loaded has nothing open.
    if "tunefront.storage.database.connection" in sys.modules:
        sys.modules["tunefront.storage.database.connection"].close_all()
    if "tunefront.search.launching.fork_server" in sys.modules:
        sys.modules["tunefront.search.launching.fork_server"].end_server()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or _LOST_OUTPUT_CODE
    os._exit(code)
