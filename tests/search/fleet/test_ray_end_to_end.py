"""`tunefront run --ray` on PostgreSQL and three nodes, one of which dies: real trainings, and no password anywhere."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT
from tests.search.fleet.ray_cluster import RayCluster, environment_of, ray_cluster
from tests.tunefront.commands.store_commands import StoreCommands, store_commands
from tunefront.storage import studies, trials
from tunefront.storage.counts import count
from tunefront.storage.database.connection import has_studies, open_store
from tunefront.storage.open_study import OpenStudy

__all__ = ["store_commands"]  # a fixture
pytestmark = [pytest.mark.chaos, pytest.mark.server, pytest.mark.processes, pytest.mark.timeout(1200)]

_SPEC = """
name = "digits"
seed = 3
trials = 6

[data]
source = "digits"

[space]
optimizer = "adam"
augmentation = "none"
batch_size = 32

[training]
epochs = 6

[sampler]
name = "random"

[pruner]
name = "none"
"""
_WAIT_SECONDS = 240.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RayCluster]:
    with ray_cluster() as made:
        for name in ("anna", "berta"):
            made.add(name, TUNEFRONT_CACHE=str(tmp_path / "cache"))
        yield made


def run_command(tmp_path: Path, *arguments: str) -> list[str]:
    (tmp_path / "digits.toml").write_text(_SPEC)
    places = ["--artifacts", str(tmp_path / "artifacts"), "--data-root", str(tmp_path)]
    return [sys.executable, "-m", "tunefront", "run", str(tmp_path / "digits.toml"), *places, *arguments]


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not is_so():
        assert process.poll() is None
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)


def find_study(url: str, name: str = "digits") -> OpenStudy | None:
    return studies.find(open_store(url), name) if has_studies(url) else None


def n_finished(url: str) -> int:
    study = find_study(url)
    return count(study).finished if study is not None else 0


def said_by_processes() -> Iterator[str]:
    """Yield every argument and variable of every process of this machine that may be read."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            yield from process.cmdline()
        yield from environment_of(process).values()


def files_with(secret: str, *folders: Path) -> list[Path]:
    """Return the files below some folders that have a text in them."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in files if secret.encode() in path.read_bytes()]


def test_a_study_survives_a_node_and_its_password_is_nowhere(
    cluster: RayCluster, store_commands: StoreCommands, tmp_path: Path
) -> None:
    url, passfile = store_commands.started["address"], store_commands.data / "passfile"
    password = passfile.read_text().strip().rpartition(":")[2]
    assert len(password) >= 16
    command = run_command(tmp_path, "--storage", url, "--ray", cluster.address, "--slots", "2", "--json")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with (tmp_path / "output").open("w+") as output, (tmp_path / "errors").open("w+") as errors:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output, stderr=errors, text=True)
        wait_until(lambda: n_finished(url) > 0, process)
        assert [text for text in said_by_processes() if password in text] == []
        cluster.kill("berta")
        cluster.add("carla", TUNEFRONT_CACHE=str(tmp_path / "cache"))
        assert process.wait(_WAIT_SECONDS) == 0
    assert cluster.children() == []

    study = find_study(url)
    assert study is not None
    records = trials.load(study)
    assert [record.state for record in records] == ["complete"] * 6
    assert [len(record.epochs) for record in records] == [6] * 6
    published = json.loads((tmp_path / "output").read_text())  # Ray has printed nothing there
    front = {row["trial"] for row in published["front"]}
    assert front
    assert {int(path.stem.split("-")[1]) for path in (tmp_path / "results/digits/models").glob("*.keras")} >= front

    looked_at = [tmp_path, cluster.session_folder, store_commands.data / "data/log"]
    assert len(list(cluster.session_folder.rglob("*.log"))) > 5
    assert files_with("RAY_", *looked_at) or files_with("raylet", *looked_at)  # there is something to be found
    assert files_with(password, *looked_at) == []


def test_an_error_of_a_worker_has_no_password(store_commands: StoreCommands, tmp_path: Path) -> None:
    password = (store_commands.data / "passfile").read_text().strip().rpartition(":")[2]
    wrong = store_commands.started["address"].replace("/tunefront?", "/none?")
    command = [sys.executable, "-m", "tunefront", "work", "--until-idle", "--storage"]
    done = subprocess.run(
        [*command, wrong], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert done.returncode == 2
    told = (done.stdout + done.stderr).decode()
    assert "none" in told
    assert password not in told
    assert "Traceback" not in told


def test_a_lost_terminal_drains_and_a_killed_command_leaves_nothing_and_the_same_command_goes_on(
    cluster: RayCluster, store_commands: StoreCommands, tmp_path: Path
) -> None:
    refused = run_command(tmp_path, "--storage", f"sqlite:///{tmp_path / 'tunefront.db'}", "--ray", cluster.address)
    done = subprocess.run(refused, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "cannot be shared by machines" in done.stderr) == (2, True)

    url = store_commands.started["address"]
    command = run_command(tmp_path, "--storage", url, "--ray", cluster.address, "--slots", "1", "--trials", "3")
    spec = tmp_path / "digits.toml"
    spec.write_text(spec.read_text().replace('"digits"', '"other"', 1))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, text=True)

    def n_running() -> int:
        study = find_study(url, "other")
        return count(study).running if study is not None else 0

    process = start()
    wait_until(lambda: n_running() == 1, process)
    process.send_signal(signal.SIGHUP)
    assert process.wait(_WAIT_SECONDS) == 130
    assert cluster.children() == []
    study = find_study(url, "other")
    assert study is not None
    (first,) = (record for record in trials.load(study) if record.state == "waiting")
    assert first.parts[-1].ending == "returned"

    process = start()
    wait_until(lambda: n_running() == 1, process)
    process.kill()
    process.wait()
    deadline = time.monotonic() + _WAIT_SECONDS
    while cluster.children():
        assert time.monotonic() < deadline, cluster.children()
        time.sleep(0.2)
    assert start().wait(_WAIT_SECONDS) == 0
    assert [record.state for record in trials.load(study)] == ["complete"] * 3
