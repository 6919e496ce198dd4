"""The example of a Slurm job, run by a real Slurm whose workers train nothing."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.launchers.slurm_cluster import slurm_cluster
from tests.search.fleet.stub_work import make_fixture
from tunefront.commands.fleet.work import UNFINISHED
from tunefront.storage.attempts import read_attempts

_SCRIPT = ROOT / "examples/slurm/workers.sbatch"
_STUB = ROOT / "tests/search/fleet/stub_work.py"
_WAIT_SECONDS = 120.0


def options() -> dict[str, str]:
    """Return the options of the script's #SBATCH lines."""
    return dict(re.findall(r"^#SBATCH --([\w-]+)=(\S+)$", _SCRIPT.read_text(), re.MULTILINE))


def test_the_job_gets_its_signals_and_no_password() -> None:
    text = _SCRIPT.read_text()
    (line,) = (line for line in text.splitlines() if "tunefront work" in line and not line.startswith("#"))
    assert line.startswith("srun tunefront work ")  # a signal without B: reaches steps alone
    signal, seconds = options()["signal"].split("@")
    assert signal == "TERM"
    hours, minutes, _ = map(int, options()["time"].split(":"))
    (limit,) = re.findall(r"--time-limit (\d+)min", line)
    assert int(limit) * 60 + int(seconds) < (hours * 60 + minutes) * 60
    assert set(options()["export"].split(",")) <= {
        *("HOME", "USER", "LANG", "PATH", "TUNEFRONT_STORAGE", "TUNEFRONT_ARTIFACTS", "TUNEFRONT_CACHE")
    }
    first, last, at_once = map(int, re.split("[-%]", options()["array"]))
    assert last - first + 1 > at_once
    assert f'"$status" -eq {UNFINISHED}' in text
    assert subprocess.run(["bash", "-n", _SCRIPT], check=False).returncode == 0


@pytest.mark.parametrize(("worker", "job", "is_cancelled"), [(0, 0, True), (75, 0, False), (2, 2, False)])
def test_the_rest_of_an_array_is_cancelled_only_when_the_studies_are_over(
    tmp_path: Path, worker: int, job: int, is_cancelled: bool
) -> None:
    for name, does in (("srun", f"exit {worker}"), ("scancel", f'echo "$@" > {shlex.quote(str(tmp_path))}/cancelled')):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_ARRAY_JOB_ID": "17"}
    assert subprocess.run(["bash", _SCRIPT], env=environment, check=False).returncode == job
    cancelled = tmp_path / "cancelled"
    assert cancelled.exists() == is_cancelled
    assert not is_cancelled or cancelled.read_text() == "--state=PENDING 17\n"


@pytest.mark.chaos
@pytest.mark.server
def test_a_study_goes_on_in_the_next_tasks_when_others_preempt_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tunefront.db'}"
    observer = make_fixture(tmp_path, url, 30, 0.3)
    program = tmp_path / "tunefront"  # in place of the real one, which would train
    stub = shlex.join([sys.executable, str(_STUB), str(tmp_path), url, "30", "0.3"])
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\n'
        f"export STUB_HOST=$SLURMD_NODENAME PYTHONPATH={ROOT}\nexec {stub}\n"
    )
    program.chmod(0o755)
    with slurm_cluster() as cluster:
        smaller = ["--array=0-9%2", "--cpus-per-task=1", "--mem=100M", f"--output={tmp_path}/%a.out"]
        secret = {"PGPASSWORD": "hunter2hunter2", "TUNEFRONT_STORAGE": "postgresql+psycopg://u@h/d?passfile=/p"}
        path = f"{tmp_path}:/usr/local/bin:/usr/bin:/bin"
        cluster.call("sbatch", *smaller, str(_SCRIPT), PATH=path, **secret)
        _await(lambda: observer.counts().running == 2 and observer.counts().finished > 0, "two workers", cluster.jobs)
        stored = [file.read_bytes() for file in cluster.state.rglob("*") if file.is_file()]
        assert any(b"TUNEFRONT_STORAGE" in content for content in stored)  # the environment is there, in the clear
        assert not any(b"hunter2hunter2" in content for content in stored)

        cluster.call("sbatch", "--partition=high", "--nodes=1", "--wrap=sleep 5", f"--output={tmp_path}/high.out")
        _await(lambda: not cluster.jobs(), "the end of all jobs", cluster.jobs)
    assert observer.states() == ["complete"] * 30
    with observer.store.engine.connect() as connection:
        attempts = [each for of in read_attempts(connection, observer.study.study_id).values() for each in of]
    endings = [each.ending for each in attempts]
    assert endings.count("complete") == 30
    assert endings.count("returned") == 1  # by the worker that made room
    assert len(endings) == 31
    n_workers = len((tmp_path / "arguments").read_text().splitlines())
    assert 3 <= n_workers < 10  # the last of the array were cancelled, because the study was over
    assert set((tmp_path / "arguments").read_text().splitlines()) == {"work --slots 1 --until-idle --time-limit 225min"}


def _await(is_so: Callable[[], bool], what: str, describe: Callable[[], object]) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what}: {describe()}"
        time.sleep(0.3)
