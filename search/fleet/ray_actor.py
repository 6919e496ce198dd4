"""The actor of a worker on a Ray cluster. Ray makes it of this class, which itself knows nothing of Ray."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from tunefront.search.fleet.child_command import ChildCommand, ChildEnd, ChildRun


@dataclass(frozen=True)
class Place:
    """Where an actor runs, and how far behind other processes."""

    host: str
    pid: int
    niceness: int


class RayActor:
    """An actor that runs a command as its child. Its methods may be called while `run` is under way."""

    def __init__(self, command: ChildCommand) -> None:
        self._run = ChildRun(command)

    def place(self) -> Place:
        """Return where this actor runs."""
        return Place(socket.gethostname(), os.getpid(), os.nice(0))

    def run(self) -> ChildEnd:
        """Run the command to its end."""
        return self._run.run()

    def drain(self) -> None:
        """Have the command give its trials back and end."""
        self._run.drain()
