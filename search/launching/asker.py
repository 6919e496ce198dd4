"""Questions to child processes, mostly with Keras: preparing, profiling, pretraining."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tunefront.mistakes import TunefrontError
from tunefront.search.launching import machine
from tunefront.search.launching.fork_server import Child, Launcher, describe_exit
from tunefront.search.launching.gpus import list_gpus
from tunefront.search.launching.slots import Slot, make_slots
from tunefront.search.system.backend import check_backend
from tunefront.search.system.processes import n_cpus

_DATA_MODULES = ("tunefront.search.preparation.prepare", "tunefront.search.data.inspection.inspect")

Progress = Callable[[str, int, int], None]


class AnswerError(TunefrontError):
    """A child could not answer; the message names what to change."""


class CheckError(TunefrontError):
    """Something that a user can change is wrong; the message names key, value and remedy."""


@dataclass(frozen=True)
class _Question:
    function: Callable[[Any, Progress], Any]
    task: Any
    slot: Slot | None


class Inquiry:
    """A question that a child is answering.

    Attributes:
        answer: What it returned, as JSON data; None before.
    """

    def __init__(self, child: Child, progress: Progress, describe_death: Callable[[int | None], str]) -> None:
        self.answer: Any = None
        self._child = child
        self._progress = progress
        self._describe_death = describe_death

    @property
    def connection(self) -> Connection:
        """The connection to the child; that it is ready means that :meth:`listen` will not wait."""
        return self._child.connection

    def listen(self) -> bool:
        """Wait for the child's next message, and return whether it was the answer.

        Raises:
            AnswerError: If the child reports an error of the user's input, or has died.
        """
        try:
            message = json.loads(self._child.connection.recv_bytes())
            if "progress" in message:
                self._progress(*message["progress"])
                return False
        except EOFError:
            raise AnswerError(self._describe_death(self._child.reap())) from None
        except BaseException:
            self.end()
            raise
        self._child.reap()
        if "error" in message:
            raise AnswerError(message["error"])
        self.answer = message["answer"]
        return True

    def end(self) -> None:
        """End the child, whose answer is no longer wanted."""
        self._child.kill()


@dataclass(frozen=True)
class Asker:
    """A way to run functions in child processes and get their results.

    Attributes:
        slot: The slot of the children; None is the CPU, for work that needs no framework.
        log_path: The file that gets their output.
        progress: Called with what a child is doing, how much is done, and of how much.
    """

    launcher: Launcher
    slot: Slot | None
    log_path: Path
    progress: Progress

    def ask(self, function: Callable[[Any, Progress], Any], task: Any) -> Any:
        """Run ``function(task, progress)`` in a child, and return what it returns, as JSON data.

        Raises:
            AnswerError: If the child reports an error of the user's input, or dies.
        """
        inquiry = self.begin(function, task)
        while not inquiry.listen():
            pass
        return inquiry.answer

    def begin(self, function: Callable[[Any, Progress], Any], task: Any) -> Inquiry:
        """Start a child for ``function(task, progress)``, and return without waiting for it."""
        question = _Question(function, task, self.slot)
        child = self.launcher.start(_answer, question, self.log_path, may_have_children=True)
        return Inquiry(child, self.progress, self._describe_death)

    def _describe_death(self, exit_code: int | None) -> str:
        logs = [
            path.read_text(errors="replace").strip()
            for path in (self.launcher.log_path, self.log_path)
            if path.exists()
        ]
        output = "\n".join(logs)[-2000:]
        return f"this could not be done: its process {describe_exit(exit_code)}. Its output:\n{output}"


@contextlib.contextmanager
def make_asker(progress: Progress) -> Iterator[Asker]:
    """Yield an asker for one command, on this machine's first GPU or all of its CPU; it starts to load Keras.

    Raises:
        BackendError: If Keras cannot be loaded.
    """
    check_backend()
    with tempfile.TemporaryDirectory(prefix="tunefront-") as name:
        launcher = Launcher(Path(name) / "forkserver.log")
        progress("loading Keras", 0, 1)
        launcher.load()
        slot = make_slots(1, list_gpus(), n_cpus(), machine.memory_bytes())[0]
        yield Asker(launcher, slot, Path(name) / "child.log", progress)


@contextlib.contextmanager
def make_data_asker(progress: Progress) -> Iterator[Asker]:
    """Yield an asker for one command that looks at data: only a source that needs Keras imports it, without a GPU."""
    with tempfile.TemporaryDirectory(prefix="tunefront-") as name:
        progress("looking at the data", 0, 1)
        launcher = Launcher(Path(name) / "forkserver.log", preload=_DATA_MODULES)
        launcher.load()
        yield Asker(launcher, None, Path(name) / "child.log", progress)


def _answer(connection: Connection, question: _Question) -> None:
    def progress(what: str, done: int, total: int) -> None:
        connection.send_bytes(json.dumps({"progress": [what, done, total]}).encode())

    if question.slot is None:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    else:
        question.slot.claim()
    try:
        answer = {"answer": question.function(question.task, progress)}
    except (TunefrontError, OSError) as error:
        answer = {"error": str(error)}
    connection.send_bytes(json.dumps(answer).encode())
