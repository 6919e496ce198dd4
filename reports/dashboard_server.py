"""A web server for optuna-dashboard, which itself asks for no password and answers to any host name."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class DashboardError(Exception):
    """The dashboard cannot be served: a message for a person that says what to do."""


class DashboardServer(ThreadingMixIn, WSGIServer):
    """Serves each request in a thread of its own, so that a slow one does not hold up the others."""

    daemon_threads = True

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        host, port = self.server_address[:2]
        return f"http://[{host!s}]:{port}/" if ":" in str(host) else f"http://{host!s}:{port}/"


def check_host(host: str, allow_remote: bool) -> None:
    """Refuse to listen where others could reach the dashboard.

    Raises:
        DashboardError: If `host` is no loopback address and `allow_remote` is not set.
    """
    if allow_remote or is_loopback(host):
        return
    raise DashboardError(
        f"--host {host!r} lets others reach the dashboard. optuna-dashboard has no authentication: whoever reaches "
        "it can read and delete every study. Leave --host out and forward the port "
        "(ssh -L 8080:localhost:8080 this-machine), or allow it with --allow-remote"
    )


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach `host`, an address or ``localhost``."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # any other name: where it leads is not ours to guess


def listen(application: WSGIApplication, host: str, port: int, allow_remote: bool) -> DashboardServer:
    """A server that listens; the caller makes it serve and closes it.

    Raises:
        DashboardError: If the port is taken, not allowed, or the host is not of this machine.
    """
    guarded = application if allow_remote else _refuse_strangers(application)
    server_class = _server_class_for(host)
    try:
        return make_server(host, port, guarded, server_class, _QuietHandler)
    except OSError as error:
        raise DashboardError(_explain(error, host, port)) from None


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program, maybe another dashboard. End that, or choose another --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs the rights of the system's administrator. Choose a --port above 1023"
    return f"cannot listen on --host {host!r}, --port {port}: {error.strerror}. Leave --host out for this machine only"


def _refuse_strangers(application: WSGIApplication) -> WSGIApplication:
    """Answer only requests that were meant for this machine.

    A page of any other site that is open in the same browser could otherwise send requests, and, with
    a name that it lets point to 127.0.0.1, read the answers.
    """

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN")
        if all(map(_names_loopback, [f"//{environ.get('HTTP_HOST', '')}", *([origin] if origin else [])])):
            return application(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"This dashboard answers to localhost only. To reach it by another name: --allow-remote\n"]

    return guarded


def _names_loopback(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _server_class_for(host: str) -> type[DashboardServer]:
    if ":" not in host:
        return DashboardServer

    class Server(DashboardServer):
        address_family = socket.AF_INET6

    return Server


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: a browser that polls would fill the terminal. Errors are still printed."""
