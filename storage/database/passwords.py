"""Passwords in the URL of a database, which must be hidden in everything that is printed."""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy.engine import make_url

# Drivers name them password, sslpassword, passwd, pwd or passfile; odbc_connect holds a whole connection string.
_QUERY_PASSWORD = re.compile(r"([?&][^=&]*(?:pass|pwd|secret|token|odbc_connect)[^=&]*=)[^&]+", re.IGNORECASE)
# SQLAlchemy reads a password up to the first @. If the password has an unescaped @ in it, the rest of the password
# would be shown as a host, so everything up to the last @ is hidden. A slash before the last @ may be an unescaped part
# of the password too, except in the URL of a file, where it begins the path.
_SERVER_PASSWORD = re.compile(r"(://[^:]*:).*@", re.DOTALL)
_FILE_PASSWORD = re.compile(r"(://[^:/]*:).*@", re.DOTALL)
_STRAY_AT = re.compile(r"[\w+]+://[^:/]*:[^@]*@.*@", re.DOTALL)
_PASSWORD_HINT = re.compile("@|pass|pwd", re.IGNORECASE)


def masked(url: str) -> str:
    """Return the URL for messages and logs, with its passwords hidden, also those in its query."""
    try:
        make_url(url)
    except (sa.exc.ArgumentError, ValueError):  # ValueError if the port is not a number
        return "(not a database URL)"
    before = _FILE_PASSWORD if url.startswith("sqlite") else _SERVER_PASSWORD
    return _QUERY_PASSWORD.sub(r"\1***", before.sub(r"\1***@", url))


def has_password(url: str) -> bool:
    """Return whether a database's URL has a password in it, which must not be printed."""
    return masked(url) != url


def has_stray_at(url: str) -> bool:
    """Return whether an @ follows the one that ends the password, so that part of it would be taken for a host."""
    return _STRAY_AT.match(url) is not None


def may_have_password(text: str) -> bool:
    """Return whether a text that is no URL may have a password in it."""
    return _PASSWORD_HINT.search(text) is not None
