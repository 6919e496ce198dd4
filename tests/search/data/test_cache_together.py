"""Datasets that several processes prepare, wait for, or leave behind when they are killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import DIGITS
from tests.search.data.cache_view import prepared_folders
from tests.search.data.pictures import pictures, source
from tunefront.search.data.cache import prepare
from tunefront.search.data.examples import DataError
from tunefront.search.system.processes import n_cpus


def test_prepare_waits_for_another_that_prepares_the_same(tmp_path: Path, cache_folder: Path) -> None:
    folder = pictures(tmp_path / "images")
    is_writing, is_waiting = threading.Event(), threading.Event()
    made, told = [], []

    def first(what: str, done: int, total: int) -> None:
        if what == "writing the prepared data" and not is_writing.is_set():
            is_writing.set()
            assert is_waiting.wait(60)

    def second(what: str, done: int, total: int) -> None:
        told.append(what)
        if what.startswith("waiting"):
            is_waiting.set()

    thread = threading.Thread(target=lambda: made.append(prepare(source(folder), 1, first)))
    thread.start()
    assert is_writing.wait(60)
    made.append(prepare(source(folder), 1, second))
    thread.join()
    assert made[0] == made[1]
    assert "waiting for another process that prepares the same data" in told
    assert "decoding images" not in told
    assert prepared_folders(cache_folder) == [Path(made[0].folder).name]


def _prepare_and_report(folder: str, barrier: multiprocessing.Barrier) -> None:  # type: ignore[valid-type]
    os.environ["TUNEFRONT_CACHE"] = folder
    barrier.wait()
    dataset = prepare(DIGITS, seed=1)
    (Path(folder) / f"prepared-{os.getpid()}").write_text(dataset.fingerprint)


@pytest.mark.usefixtures("fork_server")
def test_prepare_makes_one_whole_dataset_when_several_processes_prepare_it(cache_folder: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    barrier = context.Barrier(3)
    processes = [
        context.Process(target=_prepare_and_report, args=(str(cache_folder.parent), barrier)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    fingerprints = [path.read_text() for path in cache_folder.parent.glob("prepared-*")]
    dataset = prepare(DIGITS, seed=1)
    assert fingerprints == [dataset.fingerprint] * 3
    assert prepared_folders(cache_folder) == [Path(dataset.folder).name]


def _prepare_and_die(cache: str, images: str, at: str) -> None:
    """Prepare a dataset, and die as by kill -9 when the step `at` is reported."""
    os.environ["TUNEFRONT_CACHE"] = cache
    prepare(source(Path(images)), 1, lambda what, done, total: os._exit(9) if what == at else None)


@pytest.mark.usefixtures("fork_server")
@pytest.mark.parametrize("at", ["reading files", "decoding images", "writing the prepared data"])
def test_prepare_leaves_no_broken_dataset_when_it_is_killed(tmp_path: Path, cache_folder: Path, at: str) -> None:
    folder = pictures(tmp_path / "images")
    arguments = (str(cache_folder.parent), str(folder), at)
    process = multiprocessing.get_context("forkserver").Process(target=_prepare_and_die, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert all(name.startswith(".") for name in prepared_folders(cache_folder))
    dataset = prepare(source(folder), seed=1)
    assert prepared_folders(cache_folder) == [Path(dataset.folder).name]  # what was left is gone
    for name in ("train", "validation", "test"):
        assert len(dataset.split(name).images) == len(dataset.split(name).labels)


@pytest.mark.parametrize(("age_seconds", "is_kept"), [(60, True), (2 * 24 * 3600, False)])
def test_prepare_removes_what_others_left_when_it_is_old(cache_folder: Path, age_seconds: int, is_kept: bool) -> None:
    left = cache_folder / ".tunefront-partial-folder-0123-abc"
    left.mkdir(parents=True)
    (left / "decoded.raw").touch()
    for path in (left / "decoded.raw", left):
        os.utime(path, (time.time() - age_seconds,) * 2)
    prepare(DIGITS, seed=1)
    assert left.exists() == is_kept


_DECODE_AND_WAIT = """
import os, sys
from pathlib import Path
from tunefront.search.data.cache import prepare
from tests.search.data.pictures import source

def wait(what, done, total):
    if what == "decoding images":
        print("decoding", flush=True)
        sys.stdin.read()

if __name__ == "__main__":
    prepare(source(Path(sys.argv[1])), 1, wait)
"""


@pytest.mark.skipif(n_cpus() == 1, reason="one core decodes without other processes")
def test_decoders_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images", n_per_class=120)
    (tmp_path / "decode.py").write_text(_DECODE_AND_WAIT)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "decode.py", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"decoding\n"
    decoders = psutil.Process(process.pid).children(recursive=True)
    assert len(decoders) >= 2
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert psutil.wait_procs(decoders, timeout=60)[1] == []


def test_prepare_leaves_nothing_behind_when_it_fails(cache_folder: Path, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images", n_per_class=2)
    with pytest.raises(DataError, match="2 classes have too few different examples"):
        prepare(source(folder), seed=1)
    assert prepared_folders(cache_folder) == []
