"""An address of the web that a user typed, and where its server may redirect to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urljoin, urlsplit

from tunefront.mistakes import TunefrontError
from tunefront.search.prediction.credentials import Credentials

_PORTS = {"http": 80, "https": 443}
_PATH_CHARACTERS = "/%:@!$&'()*+,;=~-._"
_QUERY_NAME = re.compile(r"[\w.\[\]-]+=")  # before a value; cameras also take "user:password" without any name
# What tells one picture of a camera from another, and no secret.
_SHOWN_QUERY = re.compile(r"(?:ch|chn|channel|cam|camera|stream|size|resolution|width|height)=\w{1,20}", re.IGNORECASE)


class AddressError(TunefrontError):
    """A text is no address that can be fetched; the message says why, without user and password."""


@dataclass(frozen=True)
class WebAddress:
    """An address, without what a server is not told.

    Attributes:
        target: Path and query.
        credentials: The user and the password for a server that asks for them; None if none were typed.
    """

    scheme: str
    host: str
    port: int
    target: str
    credentials: Credentials | None = None

    def __repr__(self) -> str:
        return f"WebAddress({self.shown})"  # an error's traceback must not show a password either

    @property
    def url(self) -> str:
        """The address without user and password, as servers know it."""
        return f"{self.scheme}://{self.host_header}{self.target}"

    @property
    def shown(self) -> str:
        """The address for people: without user and password, and without the query's values, which may be them."""
        path, mark, query = self.target.partition("?")
        shown = "&".join(map(_without_value, query.split("&"))) if mark else ""
        return f"{self.scheme}://{self.host_header}{path}{mark}{shown}"

    @property
    def host_header(self) -> str:
        """The host, with its port if that is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def redirected(self, location: str) -> WebAddress:
        """Return the address that a server redirects to, which must be on the same host.

        User and password go along to the same port, or to one that encrypts.

        Raises:
            AddressError: If it is on another host, no longer encrypted, or no address.
        """
        new = _read(urljoin(self.url, location))
        if new.host != self.host:
            raise AddressError(f"redirects to another host, {new.host}: name that address if you trust it")
        if self.scheme == "https" and new.scheme == "http":
            raise AddressError("redirects from https to http, which is not followed: name that address if you trust it")
        keeps = new.scheme == "https" or (new.scheme, new.port) == (self.scheme, self.port)
        return replace(new, credentials=self.credentials if keeps else None)


def _without_value(part: str) -> str:
    """Return a part of a query for people: which camera it is of, or its name alone."""
    name = _QUERY_NAME.match(part)
    return part if _SHOWN_QUERY.fullmatch(part) else f"{name.group() if name else ''}***"


def is_address(text: str) -> bool:
    """Return whether a text is meant as an address rather than as a path."""
    return re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE) is not None


def parse_address(text: str) -> WebAddress:
    """Read an address such as ``http://user:password@camera:8080/snapshot.jpg``.

    Raises:
        AddressError: If it is none of http or https, or has no host, or an @ behind it; the message shows neither user
            nor password.
    """
    address = _read(text)
    # A slash in a user or a password ends the host too early, and the rest of them would be shown as a path.
    if "@" in text and "@" not in urlsplit(text).netloc:
        raise _unreadable(address.scheme)
    return address


def _read(text: str) -> WebAddress:
    scheme = text.partition("://")[0].lower()
    if scheme not in _PORTS:
        raise AddressError(f"an address that begins with {scheme[:20]}:// cannot be fetched: only http and https can")
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").rstrip(".")
        # IPv6 addresses and plain names stay as they are; other names become what servers and certificates have.
        host = host if host.isascii() else host.encode("idna").decode("ascii")
        port = _PORTS[scheme] if parts.port is None else parts.port
    except ValueError:
        host, port = "", 0
    if not host or not port or re.search(r"[\s/\\@?#]", host):
        raise _unreadable(scheme)
    target = quote(parts.path or "/", safe=_PATH_CHARACTERS)
    if parts.query:
        target += f"?{quote(parts.query, safe=_PATH_CHARACTERS + '?')}"
    credentials = None
    if parts.username is not None:
        credentials = Credentials(unquote(parts.username), unquote(parts.password or ""))
    return WebAddress(scheme, host, port, target, credentials)


def _unreadable(scheme: str) -> AddressError:
    return AddressError(
        f"an address that begins with {scheme}:// has no host or port that can be read, or an @ behind them: write it "
        "like http://camera:8080/snapshot.jpg, with %40 for an @ in a password or a path, and %2F for a slash in a "
        "password"
    )
