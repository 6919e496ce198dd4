"""The file that a database's URL names as `passfile`: the password of a server is there, and not in the URL."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from sqlalchemy.engine import URL

from tunefront.mistakes import TunefrontError


class PasswordFileError(TunefrontError):
    """A password file cannot be used: the message names it and the remedy."""


def password_file(url: URL) -> Path | None:
    """Return the password file of a PostgreSQL URL; None if it names none."""
    value = url.query.get("passfile") if url.get_backend_name() == "postgresql" else None
    return Path(value) if isinstance(value, str) else None


def check_password_file(path: Path) -> None:
    """Refuse a password file that the database's client would pass over without a word.

    Raises:
        PasswordFileError: Names the file and the remedy.
    """
    shown = shlex.quote(str(path))
    if not path.is_file():
        raise PasswordFileError(
            f"there is no password file {shown}, which --storage names. Copy it from the machine of the store, and "
            "give its whole path: ?passfile=/..."
        )
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PasswordFileError(
            f"the password file {shown} may be read by others (mode {stat.S_IMODE(mode):o}), and is not used as long "
            f"as it may: chmod 600 {shown}"
        )
    if not os.access(path, os.R_OK):
        raise PasswordFileError(f"there is no permission to read the password file {shown}. Use a copy of your own")
