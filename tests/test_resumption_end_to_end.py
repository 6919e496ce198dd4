"""End to end: a training whose process and whose supervisor are killed ends as if nothing had happened."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.commands_apart import ROOT, read_trials, wait_for_line
from tunefront.search.checkpoints.trial_folder import folder_of, newest_whole
from tunefront.storage.trials import TrialRecord

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

EPOCHS = 12
SPEC = f"""
name = "cut"
seed = 5
trials = 1

[data]
source = "digits"

[space]
architecture = "plain_cnn"
optimizer = "adam"
augmentation = "light"
schedule = "reduce_on_plateau"
batch_size = 4

[space.plain_cnn]
n_blocks = 1
filters = 4
kernel_size = 3
dense_units = 16
dropout = 0.3
batch_norm = true

[space.reduce_on_plateau]
patience = 2

[training]
epochs = {EPOCHS}
"""
# What no two trainings have in common, however equal they are.
TIMES = ("seconds", "load_average", "other_slots_busy", "peak_bytes")


def start(folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    (folder / "cut.toml").write_text(SPEC)
    return subprocess.Popen(
        [sys.executable, "-m", "tunefront", "run", "cut.toml", "--workers", "1"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_checkpoint(folder: Path, after: int, process: subprocess.Popen[str]) -> int:
    """Wait until the trial has a checkpoint after that epoch, and return its epoch."""
    while True:
        found = newest_whole(folder_of(folder / "results" / "cut", 0))
        if found is not None and found.epoch > after:
            return found.epoch
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


def trial_process(supervisor: subprocess.Popen[str]) -> psutil.Process:
    """Return the one process that a supervisor's fork server has forked."""
    servers = psutil.Process(supervisor.pid).children()
    (found,) = [process for server in servers for process in server.children()]
    return found


def wait_for_end(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "Traceback" not in output
    return output


def ended(folder: Path) -> TrialRecord:
    (record,) = read_trials(folder, "cut")
    assert record.state == "complete"
    return record


def test_a_training_that_was_killed_twice_ends_with_the_numbers_of_an_undisturbed_one(tmp_path: Path) -> None:
    wait_for_end(start(tmp_path / "undisturbed"))
    folder = tmp_path / "disturbed"
    process = start(folder)
    try:
        first = wait_for_checkpoint(folder, 0, process)
        trial_process(process).kill()
        read = wait_for_line(process, "^trial 0 goes on after epoch")
        assert "trial 0: killed from outside (signal 9)" in read
        assert f"trial 0 goes on after epoch {first} of {EPOCHS}" in read
        second = wait_for_checkpoint(folder, first, process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    output = wait_for_end(start(folder))
    went_on = re.search(rf"trial 0 goes on after epoch (\d+) of {EPOCHS}$", output, re.MULTILINE)
    assert went_on is not None, output
    assert second <= int(went_on[1]) < EPOCHS

    expected, found = ended(tmp_path / "undisturbed"), ended(folder)
    assert [part.ending for part in found.parts] == ["killed", "lost", "complete"]
    curves = [[(e.epoch, e.accuracy, e.metrics) for e in record.epochs] for record in (expected, found)]
    assert curves[0] == curves[1]
    assert [epoch.epoch for epoch in found.epochs] == list(range(1, EPOCHS + 1))
    for name, value in expected.measurements.items():
        if not name.endswith(TIMES):
            assert found.measurements[name] == value, name
    # Times are the sum over the processes, without what was trained in vain and without tracing.
    assert sum(epoch.train_seconds for epoch in found.epochs) == pytest.approx(found.measurements["train_seconds"])
    assert not (folder / "results" / "cut" / "checkpoints").exists()
