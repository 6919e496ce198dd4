"""A proxy before a server whose connections can fall silent without breaking, as a lost machine's do."""

from __future__ import annotations

import contextlib
import socket
import threading

from sqlalchemy.engine import make_url


class SilentProxy:
    """A TCP proxy for a PostgreSQL server on a Unix socket, or for a web server.

    Attributes:
        url: The URL of the database, or of the web server, through the proxy.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self._server: str | tuple[str, int]
        if parsed.drivername == "http":
            self._server = (str(parsed.host), int(parsed.port or 80))
        else:
            self._server = f"{parsed.query['host']}/.s.PGSQL.{parsed.port or 5432}"
        self.url = parsed.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        self._is_silent = False
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> SilentProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # ends the thread that accepts
        self._listener.close()
        self.cut()

    def swallow(self) -> None:
        """Take what is sent and pass nothing on; no connection breaks."""
        self._is_silent = True

    def speak(self) -> None:
        """Pass on what is sent from now on; what was swallowed is lost."""
        self._is_silent = False

    def cut(self) -> None:
        """Break all connections."""
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX if isinstance(self._server, str) else socket.AF_INET)
                try:
                    server.connect(self._server)
                except OSError:  # the server is stopped
                    client.close()
                    continue
                self._sockets += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._is_silent:
                    target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
