"""The web server for optuna-dashboard, behind the guard."""

from __future__ import annotations

import errno
import ipaddress
import socket
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tunefront.mistakes import TunefrontError
from tunefront.reports.dashboard.guard import Token, guard, is_loopback, names_this_machine

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


class DashboardError(TunefrontError):
    """The dashboard cannot be served: the message says why and what to do."""


class DashboardServer(ThreadingMixIn, WSGIServer):
    """A server with a thread for each request, so that a slow request does not block the others."""

    daemon_threads = True
    token: Token | None = None

    @property
    def url(self) -> str:
        """The address for a browser, with the token if there is one."""
        host, port = str(self.server_address[0]), self.server_address[1]
        if ipaddress.ip_address(host).is_unspecified:
            host = _own_address()
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}/{self.token.query if self.token else ''}"


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
        "(ssh -L 8080:localhost:8080 this-machine), or allow it with --allow-remote to those who have a link"
    )


def listen(application: WSGIApplication, host: str, port: int, allow_remote: bool) -> DashboardServer:
    """Return a server that listens; the caller makes it serve and closes it.

    A server for this machine alone answers to loopback names. With `allow_remote` it answers to this machine's names,
    and only to browsers that came by its link.

    Raises:
        DashboardError: If the port is taken or not allowed, or the host is not one of this machine.
    """
    try:
        server = make_server(host, port, application, _server_class_for(host), _QuietHandler)
    except OSError as error:
        raise DashboardError(_explain(error, host, port)) from None
    server.token = Token(server.server_port) if allow_remote else None
    server.set_app(guard(application, names_this_machine(host) if allow_remote else is_loopback, server.token))
    return server


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program, maybe another dashboard. End that, or choose another --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs the rights of the system's administrator. Choose a --port above 1023"
    return f"cannot listen on --host {host!r}, --port {port}: {error.strerror}. Leave --host out for this machine only"


def _own_address() -> str:
    """Return the address by which others reach this machine, as far as it knows; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address reserved for documentation (RFC 5737)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _server_class_for(host: str) -> type[DashboardServer]:
    if ":" not in host:
        return DashboardServer

    class Server(DashboardServer):
        address_family = socket.AF_INET6

    return Server


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: a browser that polls would fill the terminal, and an address may have the token in it.

        Errors in the dashboard itself are still printed.
        """
