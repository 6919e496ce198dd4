"""Writing a database's URL so that people, SQLAlchemy and PostgreSQL's own programs read it."""

from __future__ import annotations

from sqlalchemy.engine import URL


def written(url: URL) -> str:
    """Return a URL without its password; the slashes of paths in its query stay, and blanks are ``%20``.

    SQLAlchemy writes a blank as a plus sign, which PostgreSQL's programs take for one.
    """
    address, mark, query = url.set(password=None).render_as_string().partition("?")
    return address + mark + query.replace("%2F", "/").replace("+", "%20")
