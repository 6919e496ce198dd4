"""Whom the dashboard answers: optuna-dashboard itself asks for no password and answers to any host name."""

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
    """A secret that a browser gets by a link, and shows with every later request in a cookie.

    Args:
        port: Browsers keep one set of cookies for all ports of a host, so that the cookie's name must tell them apart.
    """

    def __init__(self, port: int) -> None:
        self._secret = secrets.token_urlsafe(32)
        self._cookie = f"tunefront-{port}"

    @property
    def query(self) -> str:
        """What the link ends with."""
        return f"?{_TOKEN_KEY}={self._secret}"

    @property
    def cookie(self) -> str:
        """The header that gives a browser its cookie: no script can read it, and no other site can have it sent."""
        return f"{self._cookie}={self._secret}; Path=/; HttpOnly; SameSite=Strict"

    def is_in_query(self, environ: WSGIEnvironment) -> bool:
        """Whether the request came by the link."""
        return any(map(self._is_it, parse_qs(environ.get("QUERY_STRING", "")).get(_TOKEN_KEY, [])))

    def is_in_cookie(self, environ: WSGIEnvironment) -> bool:
        """Whether the request has the cookie."""
        # Not by http.cookies, which gives up at the first cookie of another program that it does not like.
        pairs = (part.strip().partition("=") for part in environ.get("HTTP_COOKIE", "").split(";"))
        return any(self._is_it(value) for name, _, value in pairs if name == self._cookie)

    def _is_it(self, value: str) -> bool:
        """Compare in constant time: how long it takes tells nothing of how much was right."""
        return hmac.compare_digest(value.encode(), self._secret.encode())


def guard(application: WSGIApplication, names_us: Callable[[str], bool], token: Token | None) -> WSGIApplication:
    """Let requests pass only if they were meant for this server, by someone who may use it.

    A page of any other site that is open in the same browser could otherwise send requests (its ``Origin`` is another
    one), and, with a name that it lets point to this machine, read the answers (``Host`` is that name).

    Args:
        names_us: Whether a request for this host name may be answered.
        token: What a browser must have; None on a server that only this machine reaches.
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
# Not a redirection: a browser that came by a link on another site's page would follow it without the new cookie.
_WELCOME = '<!DOCTYPE html><meta http-equiv="refresh" content="0; url=/"><a href="/">To the dashboard</a>'


def _welcome(start_response: StartResponse, token: Token) -> Iterable[bytes]:
    """Give the cookie, and have the browser go on to an address without the token."""
    return _answer(start_response, HTTPStatus.OK, _WELCOME, [("Set-Cookie", token.cookie)])


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
    """Whether only programs on this machine can reach `host`, an address or ``localhost``."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # any other name: where it leads is not ours to guess


def is_address(host: str) -> bool:
    """Whether `host` is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def names_this_machine(host: str) -> Callable[[str], bool]:
    """Which host names a server that others reach answers to.

    Any address is one: only a name can be made to point here by someone else.

    Args:
        host: What it was told to listen on.
    """
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    known = {"localhost", host.lower(), name, short, f"{short}.local", socket.getfqdn().lower()} - {""}
    return lambda asked: asked.rstrip(".") in known or is_address(asked)


def _host_name(host: str) -> str:
    """Of a ``Host`` header, without the port; empty if it is more than a host, or several with commas between."""
    if not _HOST.fullmatch(host):
        return ""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
