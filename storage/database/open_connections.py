"""The open connections of an engine, which can be broken from another thread.

A thread that waits for a server's answer cannot be told to stop. An intermediary, such as a tunnel whose other end is
gone, can keep its connection alive for hours without passing anything on.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine


class OpenConnections:
    """The open connections of one engine, whose driver tells a connection's socket, as those of PostgreSQL do."""

    def __init__(self, engine: Engine) -> None:
        self._open: dict[int, Any] = {}
        # First of all listeners: those behind it may ask the server, and wait for its answer.
        sa.event.listen(engine, "connect", self._note_open, insert=True)
        sa.event.listen(engine, "close", self._note_closed)

    def break_all(self) -> None:
        """Break the connections; whoever waits for an answer on one gets an error, as if the server had gone."""
        for connection in list(self._open.values()):
            with contextlib.suppress(Exception):  # of any driver, whose connection may have ended just now
                same = socket.socket(fileno=os.dup(connection.fileno()))
                with same:
                    same.shutdown(socket.SHUT_RDWR)

    def _note_open(self, connection: Any, _: object) -> None:
        self._open[id(connection)] = connection

    def _note_closed(self, connection: Any, _: object) -> None:
        self._open.pop(id(connection), None)
