"""The folder of prepared data: its place, the names of its files, and who may use them."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from tunefront.search.data.examples import DataError

PARTIAL = ".tunefront-partial-"  # begins the name of an unfinished folder
RECORDS = "records"  # uncompressed copies of record files
MANIFESTS = "manifests"  # digests of files that were read
FEATURES = "features"  # what frozen parts of networks make of datasets
_LOCKS = "locks"
FACTS, ORIGIN, USED = "dataset.json", "origin.txt", "used"  # in the folder of a prepared dataset
FEATURE_FACTS = "features.json"  # in the folder of features


def cache_folder() -> Path:
    """Return the folder ``tunefront`` in ``TUNEFRONT_CACHE``, or else in the user's cache folder."""
    chosen = os.environ.get("TUNEFRONT_CACHE") or os.environ.get("XDG_CACHE_HOME")
    return Path(chosen or Path.home() / ".cache") / "tunefront"


def make_cache_folder() -> Path:
    """Make the folder, and the folders in it that all users share.

    Users who may write to the parent folder may write to these too, so that several users of a machine can share a
    cache.

    Raises:
        DataError: If it cannot be made.
    """
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        share(cache)
        for name in (_LOCKS, MANIFESTS, RECORDS):
            with contextlib.suppress(PermissionError):  # the cache is another user's and read-only
                (cache / name).mkdir(exist_ok=True)
                share(cache / name)
    except OSError as error:
        raise DataError(
            f"{cache}: the folder for prepared data cannot be made ({error.strerror}): "
            "set TUNEFRONT_CACHE to one that can"
        ) from None
    return cache


def share(path: Path) -> None:
    """Give a file or folder the permissions of the folder that it lies in."""
    around = path.parent.stat().st_mode
    _set_mode(path, 0o600 | around & 0o666 if path.is_file() else 0o700 | around & 0o3777)


def share_to_read(path: Path) -> None:
    """Let users who may read the parent folder read a file, or a folder and its files."""
    around = path.parent.stat().st_mode
    for file in path.iterdir() if path.is_dir() else [path]:
        _set_mode(file, 0o600 | around & 0o044)
    if path.is_dir():
        _set_mode(path, 0o700 | around & 0o2055)


def _set_mode(path: Path, mode: int) -> None:
    facts = path.stat()
    if facts.st_uid == os.geteuid() and stat.S_IMODE(facts.st_mode) != mode:
        path.chmod(mode)


def lock_path(cache: Path, name: str) -> Path:
    """Return the lock file that a process holds while it makes `name`."""
    return cache / _LOCKS / name


def manifest_path(cache: Path, name: str) -> Path:
    """Return the file that remembers the digests of a folder's files."""
    return cache / MANIFESTS / f"{name}.jsonl"


def write_origin(folder: Path, origin: str) -> None:
    """Write down what a prepared dataset was made of."""
    (folder / ORIGIN).write_text(origin, encoding="utf-8")


def note_use(folder: Path) -> None:
    """Note that a dataset, or a file, was used just now; do nothing if this user may only read it."""
    path = folder / USED if folder.is_dir() else folder
    with contextlib.suppress(OSError):
        is_new = not path.exists()
        path.touch()
        if is_new:
            share(path)
            path.chmod(path.stat().st_mode | (folder.parent.stat().st_mode & 0o022))
