"""The base class of all mistakes that a user can mend. Like `objectives`, this module imports nothing of ours."""

from __future__ import annotations


class TunefrontError(Exception):
    """A mistake that a user can mend: its text names where it is, what is wrong, and what to do.

    Commands print the text and exit with 2. Any exception that does not derive from this class is a bug of
    tunefront's own, and keeps its traceback.
    """
