"""A cache that several users of one machine share, its listing, and the removal of entries."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import DIGITS
from tests.search.data.pictures import pictures, source
from tunefront.search.data.cache import prepare
from tunefront.search.data.cache_entries import list_cache, prune
from tunefront.search.data.cache_folder import cache_folder, lock_path
from tunefront.search.data.examples import DataError

ANNA, BEN = 12001, 12002  # numbers of users whom nobody has
GROUP = 12000


@contextlib.contextmanager
def acting_as(user: int) -> Iterator[None]:
    """Make and open files with the rights of this user, who is in one group with the others."""
    groups, old_group = os.getgroups(), os.getegid()
    before = os.umask(0o022)
    os.setgroups([GROUP])
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(old_group)
        os.setgroups(groups)
        os.umask(before)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with images that, unlike pytest's folders, every user can reach and read."""
    if os.geteuid():
        pytest.skip("needs the right to act as other users")
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    # Other users may not be able to read our Python's files, so this imports all modules that are imported late.
    prepare(source(pictures(folder / "images")), seed=99)
    (folder / "cache").mkdir()
    monkeypatch.setenv("TUNEFRONT_CACHE", str(folder / "cache"))
    yield folder
    shutil.rmtree(folder)


def test_users_of_one_group_share_what_either_has_prepared(place: Path) -> None:
    os.chown(place / "cache", 0, GROUP)
    (place / "cache").chmod(0o2775)
    with acting_as(ANNA):
        of_anna = prepare(source(place / "images"), seed=1)
    written = Path(of_anna.folder).stat().st_ctime_ns
    with acting_as(BEN):
        of_ben = prepare(source(place / "images"), seed=1)
        assert of_ben == of_anna
        np.testing.assert_array_equal(of_ben.split("test").images, of_anna.split("test").images)
        other = prepare(source(place / "images"), seed=2)  # into the same folders, with the same manifest
    assert Path(of_anna.folder).stat().st_ctime_ns == written
    assert (Path(of_anna.folder).stat().st_uid, Path(other.folder).stat().st_uid) == (ANNA, BEN)
    with acting_as(ANNA):
        assert prepare(source(place / "images"), seed=2) == other
        # Only the owner can change a prepared dataset.
        with pytest.raises(PermissionError):
            (Path(other.folder) / "images.npy").write_bytes(b"")
        assert {entry.user for entry in list_cache(cache_folder()) if entry.what == "dataset"} == {str(ANNA), str(BEN)}


def test_a_user_who_may_only_read_a_cache_uses_what_is_prepared_there(place: Path) -> None:
    os.chown(place / "cache", ANNA, ANNA)
    with acting_as(ANNA):
        of_anna = prepare(source(place / "images"), seed=1)
    with acting_as(BEN):
        assert prepare(source(place / "images"), seed=1) == of_anna
        with pytest.raises(DataError, match=f"{place}/cache/tunefront.*set TUNEFRONT_CACHE to another"):
            prepare(source(place / "images"), seed=2)


def test_nobody_else_reads_the_cache_of_a_private_folder(place: Path) -> None:
    os.chown(place / "cache", ANNA, ANNA)
    (place / "cache").chmod(0o700)
    with acting_as(ANNA):
        dataset = prepare(source(place / "images"), seed=1)
    folder = Path(dataset.folder)
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (folder, folder.parent, *folder.iterdir())} == {0}


def test_a_dataset_of_somebody_else_is_kept_with_the_reason(place: Path) -> None:
    os.chown(place / "cache", ANNA, ANNA)
    with acting_as(ANNA):
        dataset = prepare(source(place / "images"), seed=1)
    with acting_as(BEN):
        pruned = prune(cache_folder(), 0)
    assert not pruned.removed
    assert all("cannot be removed (Permission denied)" in reason for _, reason in pruned.kept)
    assert Path(dataset.folder).is_dir()


# What is listed


def test_what_is_prepared_is_listed_with_its_origin_size_and_user(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    of_files, digits = prepare(source(folder), seed=1), prepare(DIGITS, seed=1)
    (cache_folder() / "something else").mkdir()
    (cache_folder() / "text").touch()
    entries = {entry.path.name: entry for entry in list_cache(cache_folder())}
    found = entries[Path(of_files.folder).name]
    n_bytes = sum(path.stat().st_size for path in Path(of_files.folder).iterdir())
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert (found.what, found.origin, found.user) == ("dataset", str(folder), user)
    assert (found.n_examples, found.n_bytes) == (20, n_bytes)
    assert time.time() - found.used < 100
    assert entries[Path(digits.folder).name].origin == "digits"
    assert sorted(entry.what for entry in entries.values()) == ["dataset", "dataset", "digests"]


def age(folder: str, days: float) -> None:
    for path in (Path(folder) / "used", Path(folder) / "dataset.json"):
        os.utime(path, (time.time() - 86400 * days,) * 2)


def test_prune_removes_what_was_not_used_for_so_long(tmp_path: Path) -> None:
    old, recent = prepare(source(pictures(tmp_path / "images")), seed=1), prepare(DIGITS, seed=1)
    age(old.folder, 31)
    age(recent.folder, 29)
    others = [cache_folder() / "notes", cache_folder().parent / "folder-0123"]
    for folder in others:
        folder.mkdir()
        (folder / "text").touch()
    pruned = prune(cache_folder(), 30 * 86400)
    assert [str(entry.path) for entry in pruned.removed] == [old.folder]
    assert (Path(old.folder).exists(), Path(recent.folder).exists()) == (False, True)
    assert not list(cache_folder().glob(".tunefront-partial-*"))
    assert all((folder / "text").exists() for folder in others)


def test_a_use_makes_a_dataset_recent_again() -> None:
    dataset = prepare(DIGITS, seed=1)
    age(dataset.folder, 31)
    prepare(DIGITS, seed=1)
    assert not prune(cache_folder(), 30 * 86400).removed


def test_what_is_being_prepared_is_not_removed() -> None:
    dataset = prepare(DIGITS, seed=1)
    with lock_path(cache_folder(), Path(dataset.folder).name).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ((entry, reason),) = prune(cache_folder(), 0).kept
    assert (str(entry.path), reason) == (dataset.folder, "it is being prepared")


@pytest.mark.parametrize(("age_seconds", "is_removed"), [(3600, False), (90_000, True)])
def test_what_was_left_unfinished_is_removed_after_a_day(age_seconds: int, is_removed: bool) -> None:
    prepare(DIGITS, seed=1)
    left = cache_folder() / ".tunefront-partial-folder-0123-abc"
    left.mkdir()
    os.utime(left, (time.time() - age_seconds,) * 2)
    prune(cache_folder(), 1800)
    assert left.exists() is not is_removed


def test_links_are_not_followed(tmp_path: Path) -> None:
    dataset = prepare(DIGITS, seed=1)
    shutil.move(dataset.folder, tmp_path / "elsewhere")
    Path(dataset.folder).symlink_to(tmp_path / "elsewhere")
    assert list_cache(cache_folder()) == []
    prune(cache_folder(), 0)
    assert (tmp_path / "elsewhere" / "images.npy").exists()
