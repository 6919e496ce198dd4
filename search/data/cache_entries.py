"""What is in the folder of prepared data, and what can go."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunefront.search.data.cache_folder import FACTS, MANIFESTS, ORIGIN, PARTIAL, RECORDS, USED, lock_path
from tunefront.search.data.examples import readable

_KINDS = {RECORDS: "records", MANIFESTS: "digests"}
STALE_SECONDS = 24 * 3600  # what is unfinished and older was left by a process that was killed


@dataclass(frozen=True)
class CacheEntry:
    """Something in the cache.

    Attributes:
        path: A folder, or a file.
        what: ``dataset``, ``records`` (an uncompressed copy of a record file), ``digests`` of image files that were
            read, or ``unfinished``.
        origin: What it was made of; empty where that was not noted.
        user: Whose it is.
        n_examples: 0 where it is no dataset.
        used: When it was used last, in seconds since 1970.
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
    """What became of entries that were to be removed."""

    removed: Sequence[CacheEntry]
    kept: Sequence[tuple[CacheEntry, str]]  # and why


def list_cache(cache: Path) -> list[CacheEntry]:
    """Everything of ours in a cache, the largest first. Other things in it are left out."""
    entries = []
    for path in [*_entries(cache), *_entries(cache / RECORDS), *_entries(cache / MANIFESTS)]:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # vanishes just now, or is not ours
            found = _entry(path)
            if found:
                entries.append(found)
    return sorted(entries, key=lambda entry: -entry.n_bytes)


def prune(cache: Path, unused_seconds: float) -> Pruned:
    """Remove what was not used for so long, and what was left unfinished more than a day ago.

    What another process prepares now stays. Trials under way keep the images that they have opened; a study that needs
    removed data prepares it again.
    """
    removed, kept = [], []
    now = time.time()
    for entry in list_cache(cache):
        limit = max(unused_seconds, STALE_SECONDS) if entry.what == "unfinished" else unused_seconds
        if now - entry.used < limit:
            continue
        with _unlocked(lock_path(cache, entry.path.name)) as is_free:
            reason = _remove(entry.path, cache) if is_free else "it is being prepared"
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
def _unlocked(path: Path) -> Iterator[bool]:
    """Hold a lock if it is free, and say whether it was; a lock that was never made is free."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        yield True
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _remove(path: Path, cache: Path) -> str:
    """Return why it could not be removed; empty if it is gone."""
    try:
        if path.is_file():
            path.unlink()
            return ""
        # Renamed first: nobody then takes a half for the whole.
        aside = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=cache))
        path.rename(aside / "removed")
        shutil.rmtree(aside)
    except OSError as error:
        return f"{readable(str(path))} cannot be removed ({error.strerror})"
    return ""


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left: all of the dataset of `folder`, whose lock is held; of others what is old."""
    for partial in folder.parent.glob(f"{PARTIAL}*"):
        if partial.name.startswith(f"{PARTIAL}{folder.name}-") or _is_old(partial):
            shutil.rmtree(partial, ignore_errors=True)


def _is_old(partial: Path) -> bool:
    try:
        newest = max(path.stat().st_mtime for path in (partial, *partial.iterdir()))
    except OSError:  # another process has just removed or finished it
        return False
    return newest < time.time() - STALE_SECONDS
