from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from tests import hostile
from tunefront.search.launching.fork_server import Launcher, describe_exit

pytestmark = pytest.mark.usefixtures("fork_server")


@pytest.mark.parametrize(
    ("exit_code", "expected"),
    [
        (-9, "killed from outside (signal 9): most likely the machine ran out of memory"),
        (-11, "crashed with SIGSEGV"),
        (-6, "crashed with SIGABRT"),
        (-15, "crashed with SIGTERM"),
        (-40, "crashed with signal 40"),  # has no name
        (0, "ended without a result (exit code 0)"),
        (1, "ended without a result (exit code 1)"),
        (None, "ended without a result (exit code None)"),
    ],
)
def test_describe_exit(exit_code: int | None, expected: str) -> None:
    assert describe_exit(exit_code) == expected


def answer_back(connection: Connection, task: Any) -> None:
    print("printed")
    print("warned", file=sys.stderr)
    os.write(1, b"written by a library\n")
    connection.send(("got", task, os.getpid()))


def tell_environment(connection: Connection, task: Any) -> None:
    connection.send((os.environ.get("PYTHONSAFEPATH"), sys.flags.safe_path))


def survive_signals(connection: Connection, task: Any) -> None:
    os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C sends it to the whole group
    connection.send("survived")


def sleep_long(connection: Connection, task: Any) -> None:
    connection.send("asleep")
    time.sleep(600)


def leave_work_for_the_end(connection: Connection, task: Any) -> None:
    atexit.register(time.sleep, 600)


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    return Launcher(tmp_path / "forkserver.log", preload=())


def test_a_child_gets_its_task_and_its_output_goes_to_the_log(launcher: Launcher, any_folder: Path) -> None:
    log = any_folder / "logs" / "trial-0.log"
    child = launcher.start(answer_back, {"number": 3}, log)
    said, task, pid = child.connection.recv()
    assert (said, task) == ("got", {"number": 3})
    assert pid not in (os.getpid(), os.getppid())
    assert child.reap() == 0
    assert sorted(log.read_text().splitlines()) == ["printed", "warned", "written by a library"]


def test_a_log_is_written_anew_when_its_trial_is_run_again(launcher: Launcher, tmp_path: Path) -> None:
    log = tmp_path / "trial-0.log"
    log.write_text("of an earlier attempt\n" * 100)
    child = launcher.start(answer_back, None, log)
    child.connection.recv()
    child.reap()
    assert "earlier" not in log.read_text()


def test_a_child_ignores_ctrl_c(launcher: Launcher, tmp_path: Path) -> None:
    child = launcher.start(survive_signals, None, tmp_path / "log")
    assert child.connection.recv() == "survived"
    assert child.reap() == 0


def test_kill_ends_a_child_at_once(launcher: Launcher, tmp_path: Path) -> None:
    child = launcher.start(sleep_long, None, tmp_path / "log")
    child.connection.recv()
    child.kill()
    assert not child.process.is_alive()
    assert child.process.exitcode == -signal.SIGKILL
    assert child.connection.closed


@pytest.mark.timeout(120)
def test_a_child_ends_without_waiting_for_what_frameworks_do_at_exit(launcher: Launcher, tmp_path: Path) -> None:
    assert launcher.start(leave_work_for_the_end, None, tmp_path / "log").reap() == 0


def test_a_child_that_ended_is_seen_at_its_connection(launcher: Launcher, tmp_path: Path) -> None:
    child = launcher.start(leave_work_for_the_end, None, tmp_path / "log")
    with pytest.raises(EOFError):
        child.connection.recv_bytes()
    child.reap()


_START_THERE = """
import os, sys
from pathlib import Path
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.data.decoding.processes import _in_processes
from tests.search.launching.test_fork_server import tell_environment

if __name__ == "__main__":
    os.chdir(sys.argv[1])
    launcher = Launcher(Path("forkserver.log"), preload=("tunefront.objectives", "tunefront.storage", "random"))
    child = launcher.start(tell_environment, None, Path("log"))
    print(child.connection.recv(), child.reap(), os.environ.get("PYTHONSAFEPATH"))
    print(sum(_in_processes(int, ["1", "2"], 1000)))
"""


def test_no_child_runs_modules_of_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    ran = hostile.fill(tmp_path / "current")
    script = tmp_path / "script.py"
    script.write_text(_START_THERE)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    environment.pop("PYTHONSAFEPATH", None)
    done = subprocess.run(
        [sys.executable, script, tmp_path / "current"], env=environment, capture_output=True, text=True, check=False
    )
    # The variable is gone in the child and here, so programs that a user's own code starts run as usual.
    assert done.stdout == "(None, True) 0 None\n3\n", done.stderr
    assert not ran.exists(), ran.read_text()


@pytest.mark.timeout(120)
def test_a_pipe_in_place_of_a_log_is_not_waited_for(launcher: Launcher, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "trial-0.log")
    with pytest.raises(OSError, match="No such device") as caught:
        launcher.start(answer_back, None, tmp_path / "trial-0.log")
    assert caught.value.filename == str(tmp_path / "trial-0.log")


@pytest.mark.parametrize("link", ["logs/trial-0.log", "logs"])
def test_a_log_is_not_written_through_a_link(launcher: Launcher, tmp_path: Path, link: str) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "trial-0.log").write_text("theirs")
    if link != "logs":
        (tmp_path / "logs").mkdir()
    (tmp_path / link).symlink_to(tmp_path / link.replace("logs", "theirs"))
    with pytest.raises(OSError, match="this is a link, and links are not followed here: remove it") as caught:
        launcher.start(answer_back, None, tmp_path / "logs" / "trial-0.log")
    assert caught.value.filename == str(tmp_path / link)
    assert (tmp_path / "theirs" / "trial-0.log").read_text() == "theirs"


def test_start_leaves_the_environment_and_standard_error_as_they_were(
    launcher: Launcher, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = dict(os.environ)
    launcher.start(answer_back, None, tmp_path / "log").reap()
    assert dict(os.environ) == before
    os.write(2, b"still heard\n")
    assert capfd.readouterr().err.endswith("still heard\n")


def print_and_answer(connection: Connection, task: Any) -> None:
    sys.stdout = os.fdopen(1, "w")  # buffered, whatever PYTHONUNBUFFERED says: it is written at the end
    print("printed")
    connection.send("answered")


def test_a_child_does_its_work_when_the_disk_of_its_log_is_full(launcher: Launcher) -> None:
    child = launcher.start(print_and_answer, None, Path("/dev/full"))
    assert child.connection.recv() == "answered"
    assert child.reap() == 0


def test_a_log_that_cannot_be_is_told_before_the_child_starts(launcher: Launcher, tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    with pytest.raises(OSError, match="Is a directory") as caught:
        launcher.start(print_and_answer, None, tmp_path / "log")
    assert caught.value.filename == str(tmp_path / "log")
