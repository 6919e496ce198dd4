"""Child processes, started from a fork server that has loaded Keras but started no runtime.

Importing Keras takes many seconds; a child forked from a process that did it starts in some 30 ms.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import multiprocessing.forkserver
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tunefront.search.system.child_environment import child_environment, chosen_safe_path, restore_safe_path
from tunefront.search.system.links import refuse_link
from tunefront.search.system.processes import end_with_parent

KERAS_MODULES = (
    "tunefront.commands.app",
    "tunefront.search.trial.preload.bare_keras",
    "tunefront.search.trial.trainable",
    "tunefront.search.trial.process",
    # What a trial imports in its functions: loaded once, and not in each trial.
    "tunefront.search.trial.deployed",
    "tunefront.search.trial.final_scores",
    "tunefront.search.trial.fit",
    "tunefront.search.trial.seeds.seeds",
    "tunefront.search.trial.prefix.feature_source",
    "tunefront.search.trial.errors.predictions",
    "tunefront.search.preparation.prepare",
)

_REAP_SECONDS = 2.0


@dataclass(frozen=True)
class Child:
    """A running child process and our end of its pipe."""

    process: BaseProcess
    connection: Connection

    def pass_on(self, task: Any, log_path: Path) -> bool:
        """Give another task to a child that waits in :func:`next_task`; return False if it has died meanwhile.

        Raises:
            OSError: If the log, or its folder, is a link.
        """
        _prepare_log(log_path)
        try:
            self.connection.send((task, str(log_path)))
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def kill(self) -> None:
        """End the child now, which loses nothing, because it has told all that it knows."""
        self.process.kill()
        self.process.join()
        self.connection.close()

    def reap(self) -> int | None:
        """Wait until the child has ended by itself, and return its exit code.

        After its last message nothing in it is needed, so a child that does not end is killed.
        """
        self.process.join(_REAP_SECONDS)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        self.connection.close()
        return self.process.exitcode


class Launcher:
    """A starter of children; the first start takes as long as the fork server needs to load `preload`.

    Args:
        log_path: The file that gets the fork server's output, mostly frameworks' start-up messages.
        preload: Modules that the fork server loads; fault tests that train nothing leave Keras out.
    """

    def __init__(self, log_path: Path, preload: tuple[str, ...] = KERAS_MODULES) -> None:
        self.log_path = log_path
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))

    def load(self) -> None:
        """Start the fork server now, and let it load its modules while the caller does something else."""
        with _redirect_stderr(self.log_path):
            multiprocessing.forkserver.ensure_running()

    def start(
        self, function: Callable[..., None], task: Any, log_path: Path, *, may_have_children: bool = False
    ) -> Child:
        """Run ``function(connection, task)`` in a new child, its output in `log_path`.

        `function` is found by its import path.

        Raises:
            OSError: If the log, or its folder, is a link.
        """
        _prepare_log(log_path)
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_enter,
            args=(theirs, function, task, str(log_path), chosen_safe_path()),
            daemon=not may_have_children,
        )
        self.load()  # once more, in case the server has died
        with child_environment():  # a child is told here which script is to be run again: none
            process.start()  # waits until the server has loaded its modules; a spinner on stderr goes on meanwhile
        theirs.close()
        return Child(process, ours)


def end_server() -> None:
    """End the fork server now, at the end of the program: who reads our output would wait until it ends by itself."""
    pid = getattr(multiprocessing.forkserver._forkserver, "_forkserver_pid", None)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def describe_exit(exit_code: int | None) -> str:
    """Return for people why a child may have ended without a message."""
    if exit_code == -signal.SIGKILL:
        return "killed from outside (signal 9): most likely the machine ran out of memory"
    if exit_code is not None and exit_code < 0:
        names = {number.value: number.name for number in signal.Signals}
        return f"crashed with {names.get(-exit_code, f'signal {-exit_code}')}"
    return f"ended without a result (exit code {exit_code})"


def next_task(connection: Connection) -> Any:
    """Wait in a child for the task of :meth:`Child.pass_on`, and write to that task's log from then on.

    Raises:
        EOFError: If there will be none.
    """
    task, log_path = connection.recv()
    _flush()
    _write_to(log_path)
    return task


def _prepare_log(log_path: Path) -> None:
    """Make a child's log, so that an error of opening it is raised where its reason is known.

    Raises:
        OSError: If the log, or its folder, is a link.
    """
    refuse_link(log_path.parent)
    refuse_link(log_path)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    # Without O_NONBLOCK, opening a pipe would wait for a reader.
    os.close(os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK, 0o644))


def _write_to(log_path: str) -> None:
    """Send this process's output to a log."""
    descriptor = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    if descriptor > 2:
        os.close(descriptor)


def _flush() -> None:
    with contextlib.suppress(OSError):  # the log's disk may be full
        sys.stdout.flush()
        sys.stderr.flush()


def _enter(
    connection: Connection, function: Callable[..., None], task: Any, log_path: str, safe_path: str | None
) -> None:
    restore_safe_path(safe_path)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the supervisor decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()
    # Objects from before the fork stay for good. Collecting garbage among them would take time, and copy every page
    # that is still shared with the fork server.
    gc.freeze()
    _write_to(log_path)
    function(connection, task)
    # Frameworks' threads and destructors can hang or crash at exit. All that matters was sent, so they are skipped.
    _flush()
    connection.close()
    os._exit(0)


@contextlib.contextmanager
def _redirect_stderr(log_path: Path) -> Iterator[None]:
    """Send standard error to the log inside, so that a fork server started there does not write to the terminal."""
    stderr = os.dup(2)
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.dup2(log, 2)
        with child_environment(TF_CPP_MIN_LOG_LEVEL="3"):
            yield
    finally:
        os.dup2(stderr, 2)
        os.close(log)
        os.close(stderr)
