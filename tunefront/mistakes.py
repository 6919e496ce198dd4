"""The base class of all mistakes that a user can mend, and a remedy for many. This module imports nothing of ours."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MAX_NAMES = 100  # names that a message lists


class TunefrontError(Exception):
    """A mistake that a user can mend: its text names where it is, what is wrong, and what to do.

    Commands print the text and exit with 2. Any exception that does not derive from this class is a bug of
    tunefront's own, and keeps its traceback.
    """


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence like ``"Did you mean 'adam'? Known: ..."`` for an error message."""
    names = list(dict.fromkeys(known))
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    suggestion = f"Did you mean {close[0]!r}? " if close else ""
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return f"{suggestion}Known: {', '.join(names[:_MAX_NAMES])}{more}"
