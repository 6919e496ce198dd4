"""A command of tunefront as a child process that ends with its parent, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tunefront.search.system.processes import CPUS_VARIABLE

# Linux sends the signal when the thread that started the child ends. It is asked for in the child itself, before the
# program: a function between fork and exec may hang in a parent with threads. Who has lost its parent by then ends.
_END_WITH_PARENT = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
# Variables that a launcher sets for its own processes, which would change how trials run, or what a debugger does.
_OF_LAUNCHERS = ("OMP_NUM_THREADS", "PYTHONBREAKPOINT", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
_TAIL_BYTES, _TAIL_LINES = 2000, 4


@dataclass(frozen=True)
class ChildEnd:
    """The end of a child process.

    Attributes:
        exit_code: Negative for a signal.
        last_lines: The end of what it printed.
    """

    exit_code: int
    last_lines: str


@dataclass(frozen=True)
class ChildCommand:
    """A command for the Python of the machine where it is to run.

    Attributes:
        arguments: What stands behind ``python``: ``-m tunefront work ...``.
        folder: The folder to run it in, where the machine has it; else the user's own.
        n_cpus: The CPU cores that it may use.
        has_gpu: Whether it may use the GPUs that CUDA_VISIBLE_DEVICES leaves visible, instead of none.
    """

    arguments: tuple[str, ...]
    folder: str
    n_cpus: int
    has_gpu: bool

    def environment(self) -> dict[str, str]:
        """Return the child's environment: this process's, without what is meant for this process alone."""
        kept = {name: value for name, value in os.environ.items() if name not in _OF_LAUNCHERS}
        kept[CPUS_VARIABLE] = str(self.n_cpus)
        if not self.has_gpu:
            kept["CUDA_VISIBLE_DEVICES"] = "-1"
        return kept

    def start(self, output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the command; it gets SIGTERM when the calling thread ends."""
        folder = self.folder if os.access(self.folder, os.W_OK | os.X_OK) else str(Path.home())
        return subprocess.Popen(
            [sys.executable, "-c", _END_WITH_PARENT, str(os.getpid()), *self.arguments],
            env=self.environment(),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


class ChildRun:
    """The runs of a command, one after the other, which another thread may end."""

    def __init__(self, command: ChildCommand) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._is_drained = False

    def run(self) -> ChildEnd:
        """Run the command to its end in this thread, which must live as long; at once ended if it was drained before.

        Its output goes to a file, and not to a pipe: while it gives its trials back, nobody may be left to read.
        """
        with tempfile.TemporaryFile() as output:
            with self._lock:
                if self._is_drained:
                    return ChildEnd(-signal.SIGTERM, "")
                child = self._child = self._command.start(output)
            exit_code = child.wait()
            output.seek(max(output.seek(0, os.SEEK_END) - _TAIL_BYTES, 0))
            return ChildEnd(exit_code, _last_lines(output.read().decode(errors="replace")))

    def drain(self) -> None:
        """Have the command give its trials back and end, now and whenever it is run again."""
        with self._lock:
            self._is_drained = True
            if self._child is not None and self._child.poll() is None:
                self._child.terminate()


def _last_lines(text: str) -> str:
    """Return the last lines that say something, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[-_TAIL_LINES:]) if lines else "it printed nothing"
