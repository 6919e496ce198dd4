"""The environment of child processes, which Python reads before it runs any of tunefront's code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType

_SAFE_PATH = "PYTHONSAFEPATH"


@contextlib.contextmanager
def child_environment(**variables: str) -> Iterator[None]:
    """Set variables for children started inside, and keep them from importing modules of the current folder.

    The children do not run the user's script either. Multiprocessing would run it again as ``__mp_main__`` to get its
    definitions, so that a script that calls :func:`tunefront.run` at its top level would start a study in every child.

    Python starts fork servers, pools and resource trackers as ``python -c``, which searches the current folder before
    all others. A file ``random.py`` or a folder ``storage`` there would be run in place of the module that we import.
    """
    wanted = {_SAFE_PATH: "1", **variables}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")  # it has no file, and so nothing to run
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            _set(name, value)


def chosen_safe_path() -> str | None:
    """Return the user's value of PYTHONSAFEPATH, for :func:`restore_safe_path` in a child; None if it is not set."""
    return os.environ.get(_SAFE_PATH)


def restore_safe_path(chosen: str | None) -> None:
    """Restore the user's setting in a child, so that programs started by a user's own code find their modules.

    The child itself, and what it starts by multiprocessing, go on as they began.
    """
    _set(_SAFE_PATH, chosen)


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
