"""The guard before optuna-dashboard, which itself asks for no password and answers to any host name."""

from __future__ import annotations

import hmac
import html
import ipaddress
import re
import secrets
import socket
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_TOKEN_KEY = "token"
_HOST = re.compile(r"[\w.:%\[\]-]+")


class Token:
    """A secret that a browser gets by a link, and sends with every later request in a cookie.

    Args:
        port: The server's port. Browsers keep one set of cookies for all ports of a host, so the cookie's name has it.
    """

    def __init__(self, port: int) -> None:
        self._secret = secrets.token_urlsafe(32)
        self._cookie = f"tunefront-{port}"

    @property
    def query(self) -> str:
        """The query with which the link ends."""
        return f"?{_TOKEN_KEY}={self._secret}"

    @property
    def cookie(self) -> str:
        """The header that sets the cookie, which no script can read and no other site can have sent."""
        return f"{self._cookie}={self._secret}; Path=/; HttpOnly; SameSite=Strict"

    def is_in_query(self, environ: WSGIEnvironment) -> bool:
        """Return whether the request came by the link."""
        return any(map(self._is_token, parse_qs(environ.get("QUERY_STRING", "")).get(_TOKEN_KEY, [])))

    def is_in_cookie(self, environ: WSGIEnvironment) -> bool:
        """Return whether the request has the cookie."""
        # http.cookies stops at the first cookie that it cannot parse, which may be another program's.
        pairs = (part.strip().partition("=") for part in environ.get("HTTP_COOKIE", "").split(";"))
        return any(self._is_token(value) for name, _, value in pairs if name == self._cookie)

    def _is_token(self, value: str) -> bool:
        """Compare with the token in constant time, so that the time taken does not tell how much of it is right."""
        return hmac.compare_digest(value.encode(), self._secret.encode())


def guard(application: WSGIApplication, names_us: Callable[[str], bool], token: Token | None) -> WSGIApplication:
    """Wrap an application so that it gets only requests meant for this server, from someone who may use it.

    Without it, a page of another site in the same browser could send requests; those have another ``Origin``. With a
    host name that points to this machine, that page could read the answers too; those requests have that ``Host``.

    Args:
        names_us: A function that tells whether requests for a host name may be answered.
        token: The token that a browser must have; None on a server that only this machine reaches.
    """

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", "")
        if not names_us(_host_name(host)):
            return _refuse(start_response, _WRONG_HOST.format(port=environ.get("SERVER_PORT", "8080")))
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and origin.lower() != f"{environ['wsgi.url_scheme']}://{host}".lower():
            return _refuse(start_response, _WRONG_ORIGIN)
        if token is None or token.is_in_cookie(environ):
            return application(environ, start_response)
        if token.is_in_query(environ):
            return _welcome(start_response, token)
        return _refuse(start_response, _NO_TOKEN)

    return guarded


_WRONG_HOST = (
    "The dashboard does not answer to this name. Open it by its machine's name or address, such as "
    "http://127.0.0.1:{port}/ on that machine, or start it with --host and the name."
)
_WRONG_ORIGIN = "This request came from a page of another site or port. Open the dashboard itself, and do it there."
_NO_TOKEN = (
    "This dashboard is open only to those who have its link. Open the whole link that 'tunefront dashboard' printed, "
    "with its token, in this browser. It is another one each time the dashboard is started."
)
# A browser that came from another site's page would follow a redirection without the new cookie, so a page is sent.
_WELCOME_PAGE = '<!DOCTYPE html><meta http-equiv="refresh" content="0; url=/"><a href="/">To the dashboard</a>'


def _welcome(start_response: StartResponse, token: Token) -> Iterable[bytes]:
    """Set the cookie, and send the browser on to an address without the token."""
    return _answer(start_response, HTTPStatus.OK, _WELCOME_PAGE, [("Set-Cookie", token.cookie)])


def _refuse(start_response: StartResponse, why: str) -> Iterable[bytes]:
    page = f"<!DOCTYPE html><title>tunefront</title><p>{html.escape(why)}</p>"
    return _answer(start_response, HTTPStatus.FORBIDDEN, page, [])


def _answer(
    start_response: StartResponse, status: HTTPStatus, page: str, headers: list[tuple[str, str]]
) -> Iterable[bytes]:
    body = page.encode()
    fixed = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
    ]
    start_response(f"{status.value} {status.phrase}", fixed + headers)
    return [body]


def is_loopback(host: str) -> bool:
    """Return whether only programs on this machine can reach `host`, an address or ``localhost``."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # any other name may lead to another machine


def is_address(host: str) -> bool:
    """Return whether `host` is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def names_this_machine(host: str) -> Callable[[str], bool]:
    """Return a function that tells whether a server that others reach answers to a host name.

    It answers to any address, because only a name can be made to point here by someone else.

    Args:
        host: The host that the server listens on.
    """
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    known = {"localhost", host.lower(), name, short, f"{short}.local", socket.getfqdn().lower()} - {""}
    return lambda asked: asked.rstrip(".") in known or is_address(asked)


def _host_name(host: str) -> str:
    """Return the name in a ``Host`` header, without the port; empty if the header is not a single host."""
    if not _HOST.fullmatch(host):
        return ""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
