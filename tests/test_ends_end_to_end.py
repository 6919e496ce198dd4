"""End to end: runs that are interrupted, that can be no study, or whose disk is full."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.commands_apart import Start, commands_in, read_trials, spec_text, wait_for_line

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with commands_in(tmp_path) as started:
        yield started


def test_ctrl_c_before_the_first_trial_says_how_to_start_again(start: Start, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(spec_text())
    process = start("run", "study.toml", "--workers", "1")
    wait_for_line(process, "loading Keras")
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 130, output
    assert "nothing is lost. Start again with:\n  tunefront run study.toml --workers 1" in output
    assert "Traceback" not in output
    assert not (tmp_path / "tunefront.db").exists()


def test_ctrl_c_stops_what_runs_and_the_same_command_goes_on(start: Start, tmp_path: Path) -> None:
    (tmp_path / "longer.toml").write_text(spec_text(name='"longer"', trials=4, epochs=8))
    process = start("run", "longer.toml", "--workers", "2")
    wait_for_line(process, r"trial \d: (complete|pruned)")
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    output, _ = process.communicate()
    assert process.returncode == 130, output
    assert "stopping" in output
    assert "Go on with:" in output
    assert "run longer.toml --workers 2" in output
    assert "Traceback" not in output
    assert (tmp_path / "results" / "longer" / "trials.csv").exists()
    before = read_trials(tmp_path, "longer")
    assert {record.state for record in before} <= {"complete", "pruned", "waiting"}
    n_waiting = sum(record.state == "waiting" for record in before)
    assert n_waiting >= 1
    _, living = psutil.wait_procs(children, timeout=60)
    assert living == []

    # Under nohup it goes on when its terminal is closed.
    process = start("run", "longer.toml", "--workers", "2", has_nohup=True)
    begun = wait_for_line(process, "^going on: ")
    n_done = sum(record.state in ("complete", "pruned") for record in before)
    assert f"going on: {n_done} of 4 are done" in begun
    os.killpg(process.pid, signal.SIGHUP)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    after = read_trials(tmp_path, "longer")
    assert [record.number for record in after] == [0, 1, 2, 3]
    assert {record.state for record in after} <= {"complete", "pruned"}
    assert sum(record.n_attempts == 2 for record in after) == n_waiting
    for one, other in zip(before, after, strict=False):
        assert one.parameters == other.parameters  # the same candidates under the same numbers


def test_run_refuses_before_it_writes_when_a_limit_excludes_everything(start: Start, tmp_path: Path) -> None:
    text = spec_text(name='"tiny"').replace(
        'memory = "model_bytes"', 'memory = { measure = "model_bytes", at_most = "100 B" }'
    )
    (tmp_path / "tiny.toml").write_text(text)
    process = start("run", "tiny.toml")
    output, _ = process.communicate()
    assert process.returncode == 2, output
    assert "tiny.toml: objectives.memory: its limit excludes everything" in output
    assert "Traceback" not in output
    assert not (tmp_path / "tunefront.db").exists()
    assert not (tmp_path / "results").exists()


def test_a_full_disk_costs_the_models_and_says_so(start: Start, tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "tiny.toml").write_text(
        spec_text(name='"tiny"', trials=1, epochs=1).replace("at_least = 0.5", "at_least = 0")
    )
    process = start("run", "tiny.toml", "--workers", "1", "--out", str(small_disk / "results"))
    output, _ = process.communicate()
    assert process.returncode == 2, output
    last = output.splitlines()[-1]
    assert last.startswith(f"tunefront: {small_disk}/results/report.html: No space left on device.")
    assert "make room there" in last
    assert "Traceback" not in output
    (record,) = read_trials(tmp_path, "tiny")
    assert record.state == "complete"
    expected = "complete, but its model was not kept: OSError: [Errno 28] No space left on device"
    assert record.reason.endswith(expected)
