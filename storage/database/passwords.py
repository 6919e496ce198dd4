"""Passwords in the URL of a database, which must be hidden in everything that is printed."""

from __future__ import annotations

import os
import re

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

# Drivers name them password, sslpassword, passwd or pwd; odbc_connect holds a whole connection string. What passfile
# names is the path of a file, which is no secret.
_QUERY_PASSWORD = re.compile(
    r"([?&](?!passfile=)[^=&]*(?:pass|pwd|secret|token|odbc_connect)[^=&]*=)[^&]+", re.IGNORECASE
)
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


def written(url: URL) -> str:
    """Return a URL without its password, so that people, SQLAlchemy and PostgreSQL's own programs read it.

    The slashes of paths in its query stay, and blanks are ``%20``: SQLAlchemy writes a blank as a plus sign, which
    PostgreSQL's programs take for one.
    """
    address, mark, query = url.set(password=None).render_as_string().partition("?")
    return address + mark + query.replace("%2F", "/").replace("+", "%20")


def has_password(url: str) -> bool:
    """Return whether a database's URL has a password in it, which must not be printed."""
    return masked(url) != url


def has_stray_at(url: str) -> bool:
    """Return whether an @ follows the one that ends the password, so that part of it would be taken for a host."""
    return _STRAY_AT.match(url) is not None


def may_have_password(text: str) -> bool:
    """Return whether a text that is no URL may have a password in it."""
    return _PASSWORD_HINT.search(text) is not None


def password_warning(url: str) -> str:
    """Return a sentence on a password of a PostgreSQL server in its URL, or in a variable that goes before its file.

    Empty if there is neither.
    """
    if not url.startswith("postgresql") or masked(url) == "(not a database URL)":
        return ""
    if masked(url) != url:
        return (
            "the address of the storage has a password in it, which others may read in lists of processes, logs and "
            "jobs. Put it into a file, as a line HOST:PORT:DATABASE:USER:PASSWORD, chmod 600, and name that file in "
            "place of the password: ?passfile=/its/path"
        )
    if "passfile" in make_url(url).query and os.environ.get("PGPASSWORD"):
        return (
            "the password in the variable PGPASSWORD goes before the file that the address of the storage names: "
            "'unset PGPASSWORD', unless you want that"
        )
    return ""
