"""The person who types a command, as others are told; nobody checks it."""

from __future__ import annotations

import getpass
import os
import socket


def this_person() -> str:
    """Return ``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # in a container the user's number may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"[:255]
