"""A connected socket that must have done everything by a deadline, however slowly the other side drips."""

from __future__ import annotations

import io
import socket
import ssl
import time
from typing import Any


class Deadline:
    """A moment by which something must be done.

    Args:
        seconds: From now.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: If none are.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class TimedSocket:
    """What `http.client` needs of a socket; each operation gets the time that is left of the whole."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def encrypt(self, host: str) -> None:
        """Go on behind TLS, with the certificate checked against the host's name."""
        self._socket.settimeout(self._deadline.left())
        self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)

    def sendall(self, data: bytes) -> None:
        """Send all of the data."""
        self._socket.settimeout(self._deadline.left())
        self._socket.sendall(data)

    def makefile(self, mode: str) -> Any:
        """Return a file to read from, as :meth:`socket.socket.makefile` does."""
        return io.BufferedReader(_TimedReader(self._socket, self._deadline))

    def close(self) -> None:
        """Do nothing: `http.client` closes what it has asked before the answer is read."""

    def end(self) -> None:
        """Close the connection."""
        self._socket.close()


class _TimedReader(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(self._deadline.left())
        return self._socket.recv_into(buffer)
