"""The entries of the folder of prepared data, and the removal of unused ones."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunefront.file_lock import try_lock
from tunefront.search.data.cache_folder import (
    FACTS,
    FEATURE_FACTS,
    FEATURES,
    MANIFESTS,
    ORIGIN,
    PARTIAL,
    RECORDS,
    USED,
    lock_path,
)
from tunefront.search.data.examples import readable

_KINDS = {RECORDS: "records", MANIFESTS: "digests"}
STALE_SECONDS = 24 * 3600  # older unfinished entries were left by a killed process


@dataclass(frozen=True)
class CacheEntry:
    """An entry of the cache.

    Attributes:
        path: A folder, or a file.
        what: ``dataset``, ``records`` (an uncompressed copy of a record file), ``digests`` of image files that were
            read, ``features`` that a frozen part of a network makes of a dataset, or ``unfinished``.
        origin: The data that it was made of; empty if that was not noted.
        user: The user that owns it.
        n_examples: The number of examples; 0 if it is no dataset.
        used: The time of its last use, in seconds since 1970.
    """

    path: Path
    what: str
    origin: str
    user: str
    n_examples: int
    n_bytes: int
    used: float


@dataclass(frozen=True)
class Pruned:
    """The outcome of removing entries."""

    removed: Sequence[CacheEntry]
    kept: Sequence[tuple[CacheEntry, str]]  # each with the reason


def list_cache(cache: Path) -> list[CacheEntry]:
    """Return tunefront's entries in a cache, the largest first; files of others are left out."""
    entries = []
    folders = (cache, *(cache / name for name in (RECORDS, MANIFESTS, FEATURES)))
    for path in (path for folder in folders for path in _entries(folder)):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # it has just vanished, or is not ours
            found = _entry(path)
            if found:
                entries.append(found)
    return sorted(entries, key=lambda entry: -entry.n_bytes)


def prune(cache: Path, unused_seconds: float) -> Pruned:
    """Remove entries that were not used for so long, and those left unfinished more than a day ago.

    An entry that another process is preparing stays. Running trials keep the images that they have opened, and a study
    that needs removed data prepares it again.
    """
    removed, kept = [], []
    now = time.time()
    for entry in list_cache(cache):
        limit = max(unused_seconds, STALE_SECONDS) if entry.what == "unfinished" else unused_seconds
        if now - entry.used < limit:
            continue
        with unlocked(lock_path(cache, entry.path.name)) as is_free:
            busy = "it is in use" if entry.what == "features" else "it is being prepared"
            reason = remove_entry(entry.path, cache) if is_free else busy
        if reason:
            kept.append((entry, reason))
        else:
            removed.append(entry)
    return Pruned(removed, kept)


def _entries(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from sorted(folder.iterdir())


def _entry(path: Path) -> CacheEntry | None:
    if path.is_symlink():
        return None
    files = list(path.iterdir()) if path.is_dir() else [path]
    n_bytes = sum(file.stat().st_size for file in files)
    user = _user(path.stat().st_uid)
    if path.name.startswith(PARTIAL):
        newest = max(file.stat().st_mtime for file in (path, *files))
        return CacheEntry(path, "unfinished", "", user, 0, n_bytes, newest)
    if path.parent.name in _KINDS and path.is_file():
        return CacheEntry(path, _KINDS[path.parent.name], "", user, 0, n_bytes, path.stat().st_mtime)
    if (path / FEATURE_FACTS).is_file():
        facts = json.loads((path / FEATURE_FACTS).read_text())
        used = (path / USED if (path / USED).exists() else path / FEATURE_FACTS).stat().st_mtime
        return CacheEntry(path, "features", str(facts["origin"]), user, int(facts["shape"][0]), n_bytes, used)
    if not (path / FACTS).is_file():
        return None
    facts = json.loads((path / FACTS).read_text())
    n_examples = sum(int(facts[f"n_{split}"]) for split in ("train", "validation", "test"))
    noted = path / ORIGIN
    origin = noted.read_text(encoding="utf-8") if noted.exists() else str(facts["source"])
    used = (path / USED if (path / USED).exists() else path / FACTS).stat().st_mtime
    return CacheEntry(path, "dataset", origin, user, n_examples, n_bytes, used)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


@contextlib.contextmanager
def unlocked(path: Path) -> Iterator[bool]:
    """Hold a lock if it is free, and yield whether it was; a lock that was never made is free."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        yield True
        return
    try:
        yield try_lock(descriptor)
    finally:
        os.close(descriptor)


def remove_entry(path: Path, cache: Path) -> str:
    """Remove an entry; return why it could not be removed, or an empty text."""
    try:
        if path.is_file():
            path.unlink()
            return ""
        # The entry is renamed first, so that nobody takes a half-removed folder for a whole one.
        aside = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=cache))
        path.rename(aside / "removed")
        shutil.rmtree(aside)
    except OSError as error:
        return f"{readable(str(path))} cannot be removed ({error.strerror})"
    return ""


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left of the dataset `folder`, whose lock is held, and old leftovers of others."""
    for partial in folder.parent.glob(f"{PARTIAL}*"):
        if partial.name.startswith(f"{PARTIAL}{folder.name}-") or _is_old(partial):
            shutil.rmtree(partial, ignore_errors=True)


def _is_old(partial: Path) -> bool:
    try:
        newest = max(path.stat().st_mtime for path in (partial, *partial.iterdir()))
    except OSError:  # another process has just removed or finished it
        return False
    return newest < time.time() - STALE_SECONDS
