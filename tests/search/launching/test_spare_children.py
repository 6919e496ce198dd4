"""Children that wait for another task of their kind."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from tests.search.supervisor_fixture import is_running
from tunefront.search.launching.fork_server import Child, Launcher, next_task
from tunefront.search.launching.spare_children import SpareChildren

pytestmark = pytest.mark.usefixtures("fork_server")


def answer_all(connection: Connection, task: Any) -> None:
    while True:
        print(f"task {task}")
        connection.send((task, os.getpid()))
        try:
            task = next_task(connection)
        except EOFError:
            return


@pytest.fixture
def child(tmp_path: Path) -> Child:
    return Launcher(tmp_path / "forkserver.log", preload=()).start(answer_all, 1, tmp_path / "logs" / "1.log")


def enough() -> float:
    return 0.5


def test_a_task_goes_to_a_child_of_its_kind_and_has_its_own_log(child: Child, tmp_path: Path) -> None:
    _, pid = child.connection.recv()
    spares = SpareChildren(enough)
    assert spares.keep("a", child)
    assert spares.pass_on("b", 2, tmp_path / "logs" / "2.log") is None
    assert spares.pass_on("a", 3, tmp_path / "logs" / "3.log") is child
    assert child.connection.recv() == (3, pid)
    assert spares.pass_on("a", 4, tmp_path / "logs" / "4.log") is None  # it no longer waits
    child.connection.close()
    child.process.join(20)
    assert child.process.exitcode == 0
    assert {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()} == {
        "1.log": "task 1\n",
        "3.log": "task 3\n",
    }


def test_a_log_that_is_a_link_is_refused_and_what_it_leads_to_stays(child: Child, tmp_path: Path) -> None:
    child.connection.recv()
    (tmp_path / "own.txt").write_text("precious")
    (tmp_path / "logs" / "2.log").symlink_to(tmp_path / "own.txt")
    spares = SpareChildren(enough)
    spares.keep("a", child)
    with pytest.raises(OSError, match="link"):
        spares.pass_on("a", 2, tmp_path / "logs" / "2.log")
    assert (tmp_path / "own.txt").read_text() == "precious"
    child.kill()


def test_a_child_that_died_while_it_waited_gets_nothing(child: Child, tmp_path: Path) -> None:
    child.connection.recv()
    spares = SpareChildren(enough)
    spares.keep("a", child)
    child.process.kill()
    child.process.join()
    assert spares.pass_on("a", 2, tmp_path / "logs" / "2.log") is None
    assert not spares.keep("a", child)


def test_no_child_waits_where_memory_is_short(child: Child) -> None:
    child.connection.recv()
    assert not SpareChildren(lambda: 0.49).keep("a", child)
    child.kill()


def test_children_that_wait_are_ended_together(child: Child) -> None:
    _, pid = child.connection.recv()
    spares = SpareChildren(enough)
    spares.keep("a", child)
    spares.end()
    assert not is_running(pid)
    spares.end()
