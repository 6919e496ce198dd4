"""A command line that runs in the tests' own process: its fork server loads Keras once for all commands of a file."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path

import pytest

from tunefront.commands import app


@dataclass(frozen=True)
class Done:
    """A command that has ended, and all that it printed."""

    returncode: int
    stdout: str


def tunefront_here(folder: Path, *arguments: str) -> Done:
    """Run a command line in a folder."""
    printed = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        patch.chdir(folder)
        patch.setenv("COLUMNS", "200")
        patch.setattr(sys, "argv", ["tunefront", *arguments])
        # What takes long says so on stderr, and on a busy machine anything does.
        patch.setattr("tunefront.commands.screen.spinner._PATIENCE_SECONDS", 3600.0)
        try:
            app.main()
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
            return Done(code, printed.getvalue())
    return Done(0, printed.getvalue())


@pytest.fixture(scope="module")
def fork_server_apart() -> Iterator[None]:
    """Let the file's first command start a fork server with Keras, which other files do not go on with."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "-1")
        yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
