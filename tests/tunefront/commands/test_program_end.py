"""The end of a command that is a process of its own: at once, and with everything closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.storage.study_fixture import StudyFixture
from tests.tunefront.commands.conftest import Run

# A fork server that inherits our standard output, and would hold it open for an hour.
WITH_SERVER = """
import sys
from pathlib import Path
from tunefront.commands.app import program
from tunefront.search.launching.fork_server import Launcher

Launcher(Path("server.log"), preload=("tests.tunefront.commands.slow_end",)).load()
sys.argv = ["tunefront", "status"]
program()
"""


def tunefront(folder: Path, *arguments: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    environment = {**os.environ, "COLUMNS": "200", "PYTHONUNBUFFERED": ""}
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
    )


def test_a_command_that_writes_leaves_one_file_of_its_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tunefront.db'}"
    made = [StudyFixture.make(url, name) for name in ("first", "second")]
    for one in made:
        one.store.optuna.remove_session()
        one.store.engine.dispose()
    done = tunefront(tmp_path, "-m", "tunefront", "delete", "first", "--yes")
    assert done.returncode == 0, done.stderr
    # What SQLite has not yet moved from its log into the file would lie beside it.
    assert {path.name for path in tmp_path.glob("tunefront.db*")} <= {"tunefront.db", "tunefront.db.lock"}
    assert [line.split()[0] for line in tunefront(tmp_path, "-m", "tunefront", "status").stdout.splitlines()[1:2]]


def test_whoever_reads_the_output_does_not_wait_for_the_fork_server(tmp_path: Path, run: Run) -> None:
    StudyFixture.make(f"sqlite:///{tmp_path / 'tunefront.db'}")
    done = tunefront(tmp_path, "-c", WITH_SERVER)
    assert done.returncode == 0, done.stderr
    assert done.stdout == run("status")[1]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(("code", "expected"), [(0, 120), (3, 3)])  # 120 is Python's own in that case
def test_output_that_cannot_be_written_is_no_success(tmp_path: Path, code: int, expected: int) -> None:
    script = f"from tunefront.program_end import leave; print('lost'); leave({code})"
    with Path("/dev/full").open("w") as full:
        assert tunefront(tmp_path, "-c", script, stdout=full.fileno()).returncode == expected
