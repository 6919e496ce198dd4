"""Passwords in the URL of a database: to be hidden from whatever is printed."""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy.engine import make_url

# As drivers name them: password, sslpassword, passwd, pwd, passfile; odbc_connect holds a whole connection string.
_IN_QUERY = re.compile(r"([?&][^=&]*(?:pass|pwd|secret|token|odbc_connect)[^=&]*=)[^&]+", re.IGNORECASE)
# SQLAlchemy reads a password up to the first @. One in the password that was not escaped is followed by the rest of it,
# which would be shown as a host: hidden is all up to the last @. A slash before the password was not escaped either,
# but in the URL of a file it begins the path.
_BEFORE_HOST = re.compile(r"(://[^:]*:).*@", re.DOTALL)
_BEFORE_FILE = re.compile(r"(://[^:/]*:).*@", re.DOTALL)
_STRAY_AT = re.compile(r"[\w+]+://[^:/]*:[^@]*@.*@", re.DOTALL)
_HINT = re.compile("@|pass|pwd", re.IGNORECASE)


def masked(url: str) -> str:
    """The URL with its passwords hidden, also those in its query, for messages and logs."""
    try:
        make_url(url)
    except (sa.exc.ArgumentError, ValueError):  # ValueError: a port that is no number
        return "(not a database URL)"
    before = _BEFORE_FILE if url.startswith("sqlite") else _BEFORE_HOST
    return _IN_QUERY.sub(r"\1***", before.sub(r"\1***@", url))


def has_password(url: str) -> bool:
    """Whether a database's URL has a password in it, which must not be printed."""
    return masked(url) != url


def has_stray_at(url: str) -> bool:
    """Whether there is an @ after the one that ends the password: then part of the password is taken for a host."""
    return _STRAY_AT.match(url) is not None


def may_have_password(text: str) -> bool:
    """Whether there may be a password in what is no URL."""
    return _HINT.search(text) is not None
