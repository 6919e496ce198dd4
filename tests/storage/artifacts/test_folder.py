"""What a folder promises beyond every place: whole files after kills and on full disks, and errors that say why."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tunefront.storage.artifacts.artifact_store import ArtifactsAwayError, digest_of, fetch, key_of
from tunefront.storage.artifacts.folder import FolderArtifacts

_WRITE = """
import os, sys
from pathlib import Path
from tunefront.storage.artifacts.folder import FolderArtifacts
folder, digest, pipe = sys.argv[1:]
os.write(1, b"begun\\n")
FolderArtifacts(Path(folder)).write(digest, Path(pipe))
"""


def test_a_kill_in_the_middle_of_a_write_leaves_nothing_under_the_files_name(tmp_path: Path) -> None:
    half = os.urandom(5 << 20)
    digest = hashlib.sha256(half + half).hexdigest()
    pipe = tmp_path / "model"
    os.mkfifo(pipe)
    store = FolderArtifacts(tmp_path / "artifacts")
    store.prepare()
    command = [sys.executable, "-c", _WRITE, store.address, digest, str(pipe)]
    with subprocess.Popen(command) as writer, pipe.open("wb") as file:  # the first half comes, and no end
        file.write(half)
        file.flush()
        deadline = time.monotonic() + 30
        while sum(path.stat().st_size for path in Path(store.address).rglob("*.partial")) < len(half):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    assert not store.exists(digest)
    assert list(store.digests()) == []
    (left,) = Path(store.address).rglob("*.partial")

    whole = tmp_path / "whole"
    whole.write_bytes(half + half)
    store.write(digest, whole)  # the next supervisor's
    assert digest_of(Path(store.address) / key_of(digest)) == digest

    store.prepare()
    assert left.exists()  # it may be one that another machine is writing
    day_ago = time.time() - 25 * 3600
    os.utime(left, (day_ago, day_ago))
    store.prepare()
    assert not left.exists()
    assert list(store.digests()) == [digest]


def test_a_full_disk_leaves_nothing_and_says_why(small_disk: Path, tmp_path: Path) -> None:
    source = tmp_path / "model"
    source.write_bytes(os.urandom(100_000))  # the disk has 64 kB
    store = FolderArtifacts(small_disk / "artifacts")
    store.prepare()
    with pytest.raises(ArtifactsAwayError, match="No space left on device"):
        store.write(digest_of(source), source)
    assert list(store.digests()) == []
    assert list(Path(store.address).rglob("*.partial")) == []
    source.write_bytes(b"small")
    store.write(digest_of(source), source)
    assert list(store.digests()) == [digest_of(source)]


def test_a_file_that_changes_while_it_is_copied_is_not_kept(tmp_path: Path) -> None:
    source = tmp_path / "trial-0.log"
    source.write_text("epoch 1")
    digest = digest_of(source)
    source.write_text("epoch 1, epoch 2")
    store = FolderArtifacts(tmp_path / "artifacts")
    store.prepare()
    with pytest.raises(ArtifactsAwayError, match="trial-0.log was changed while it was copied"):
        store.write(digest, source)
    assert list(store.digests()) == []


def test_a_missing_source_is_no_error_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="model"):
        FolderArtifacts(tmp_path / "artifacts").write("0" * 64, tmp_path / "model")


def test_a_folder_that_is_not_mounted_is_away_and_not_empty(tmp_path: Path) -> None:
    store = FolderArtifacts(tmp_path / "not mounted")
    with pytest.raises(ArtifactsAwayError, match="No such file or directory"):
        store.exists("0" * 64)
    with pytest.raises(ArtifactsAwayError, match="No such file or directory"):
        fetch(store, "0" * 64, tmp_path / "back")
    Path(store.address).mkdir()  # the place where another disk is to be mounted
    for look in (lambda: store.exists("0" * 64), lambda: list(store.digests())):
        with pytest.raises(ArtifactsAwayError, match=r"not mounted has no README.txt, .* is it mounted\?"):
            look()
    store.prepare()
    assert (store.exists("0" * 64), list(store.digests())) == (False, [])


def test_a_file_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactsAwayError, match="--artifacts .*file: this is a file. Name a folder"):
        FolderArtifacts(tmp_path / "file").prepare()
