"""`tunefront` with Keras, in processes of its own: what its end-to-end tests share."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests import hostile
from tunefront.search.data.dataset import Dataset
from tunefront.storage import studies, trials
from tunefront.storage.database.connection import open_store
from tunefront.storage.trials import TrialRecord

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / "examples" / "digits.toml").read_text()

Start = Callable[..., subprocess.Popen[str]]


def spec_text(**changes: Any) -> str:
    """Return the example with other values for some of its top-level or [training] keys."""
    text = EXAMPLE
    for key, value in changes.items():
        text, n_changed = re.subn(rf"(?m)^{key} = [^#\n]*", f"{key} = {value}", text, count=1)
        assert n_changed == 1, key
    return text


def tiny_spec_text(name: str, trials: int, epochs: int) -> str:
    """Return a spec of networks of four filters, drawn at random and trained to the end."""
    return f"""
name = "{name}"
seed = 3
trials = {trials}
[data]
source = "digits"
[space]
optimizer = "adam"
augmentation = "none"
batch_size = 128
[space.plain_cnn]
n_blocks = 1
filters = 4
[training]
epochs = {epochs}
[sampler]
name = "random"
[pruner]
name = "none"
"""


@contextlib.contextmanager
def commands_in(folder: Path) -> Iterator[Start]:
    """Yield a function that starts `tunefront` in a process group of its own, as a terminal does; none outlives it.

    Its current folder has modules of the names that it imports; none of them may run.
    """
    started: list[subprocess.Popen[str]] = []
    ran = hostile.fill(folder)

    def start_command(*arguments: str, has_nohup: bool = False) -> subprocess.Popen[str]:
        own = {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", "COLUMNS": "200"}
        process = subprocess.Popen(
            [*(["nohup"] if has_nohup else []), sys.executable, "-m", "tunefront", *arguments],
            cwd=folder,
            env={**os.environ, **own, "TUNEFRONT_CACHE": str(folder / "cache")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    try:
        yield start_command
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert not ran.exists(), ran.read_text()


def read_trials(folder: Path, name: str) -> list[TrialRecord]:
    store = open_store(f"sqlite:///{folder / 'tunefront.db'}")
    study = studies.find(store, name)
    assert study is not None
    return trials.load(study)


def wait_for_line(process: subprocess.Popen[str], pattern: str) -> str:
    """Read a process's output up to a line that matches, and return everything read."""
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if re.search(pattern, line):
            return read
    raise AssertionError(f"no line like {pattern!r} in:\n{read}")


def prepared(folder: Path) -> Dataset:
    """Return the digits as the commands in this folder prepared them."""
    (found,) = (folder / "cache" / "tunefront").glob("digits-*")
    return Dataset.read(found)
