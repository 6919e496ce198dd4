"""The environment that child processes start with: what Python reads before it runs a line of ours."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType

_SAFE_PATH = "PYTHONSAFEPATH"


@contextlib.contextmanager
def child_environment(**variables: str) -> Iterator[None]:
    """Children that are started inside look for no module in the current folder, and have these variables, too.

    They do not run the user's script either. Multiprocessing would run it again as ``__mp_main__``, for what is defined
    there: a script that calls :func:`tunefront.run` at its top level would then start a study in every child.

    Python starts fork servers, pools and resource trackers as ``python -c``, which searches the current folder before
    all others: a file ``random.py`` or a folder ``storage`` there would be run in place of what we import.
    """
    wanted = {_SAFE_PATH: "1", **variables}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")  # without a file, and so without anything to run
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            _set(name, value)


def chosen_safe_path() -> str | None:
    """Return what the user has set, for :func:`restore_safe_path` in a child; None if nothing."""
    return os.environ.get(_SAFE_PATH)


def restore_safe_path(chosen: str | None) -> None:
    """Give a child the user's setting back: programs that a user's own code starts find their modules as ever.

    The child itself, and what it starts by multiprocessing, go on as they began.
    """
    _set(_SAFE_PATH, chosen)


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
