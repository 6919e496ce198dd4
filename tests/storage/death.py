"""The death of a worker at any statement or commit, which leaves a database with only what was committed before."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tests.storage.conftest import dispose
from tests.storage.study_fixture import StudyFixture

COMMIT = "COMMIT"
Operation = Callable[[StudyFixture], object]


class DiedError(BaseException):
    """The stand-in for kill -9 in a test's own process."""


def raise_died() -> None:
    raise DiedError


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Death:
    """The death of a worker of a study.

    Attributes:
        is_real: Whether the worker is a process of its own that kills itself with signal 9. Otherwise it is this one,
            whose connections break.
        only_at_commits: Whether it dies at commits alone: in a database, all deaths between two commits are the same.
    """

    fixture: StudyFixture
    is_real: bool
    only_at_commits: bool

    def at_step(self, n_steps: int, operation: Operation) -> str:
        """Run an operation that dies before the statement or commit of that number, counted from 0.

        Args:
            operation: Can be pickled where the death is real.

        Returns:
            Words that say where it died; empty if it ended before.
        """
        if self.is_real:
            return self._kill(n_steps, operation)
        steps: list[str] = []
        with contextlib.suppress(DiedError), _counting(self.fixture.store.engine, self, n_steps, steps, raise_died):
            operation(self.fixture)
            return ""
        dispose(self.fixture.store)
        return f"before step {n_steps}, after {steps[-1:]}"

    def _kill(self, n_steps: int, operation: Operation) -> str:
        context = multiprocessing.get_context("forkserver")
        process = context.Process(target=_die, args=(self.fixture.store.url, self.only_at_commits, n_steps, operation))
        process.start()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        return f"before step {n_steps}" if process.exitcode else ""


def _die(url: str, only_at_commits: bool, n_steps: int, operation: Operation) -> None:
    fixture = StudyFixture.make(url)
    death = Death(fixture, is_real=True, only_at_commits=only_at_commits)
    with _counting(fixture.store.engine, death, n_steps, [], kill_this_process):
        operation(fixture)


@contextlib.contextmanager
def _counting(engine: Engine, death: Death, n_steps: int, steps: list[str], die: Callable[[], None]) -> Iterator[None]:
    """Note steps, and call `die` before that one and, if it was survived, before each later one."""

    def take(step: str) -> None:
        if len(steps) == n_steps:
            die()
        steps.append(step)

    def before_statement(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if not death.only_at_commits:
            take(statement)

    def before_commit(_: Any) -> None:
        take(COMMIT)

    sa.event.listen(engine, "before_cursor_execute", before_statement)
    sa.event.listen(engine, "commit", before_commit)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", before_statement)
        sa.event.remove(engine, "commit", before_commit)
