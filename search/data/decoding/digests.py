"""Digests of the contents of examples; those of files are stored, so that a second start reads no file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.cache_folder import lock_path, manifest_path, share
from tunefront.search.data.examples import Progress, Stamp
from tunefront.search.data.lock import alone
from tunefront.search.system.processes import n_cpus

UNREADABLE = "unreadable"
_N_CHUNK = 256


def digest(data: bytes) -> str:
    """Return the BLAKE2b digest (128 bits) of some bytes; only equal content gives equal digests."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def digests_of_values(values: NDArray[Any]) -> list[str]:
    """Return a digest for each row."""
    return [digest(np.ascontiguousarray(row).tobytes()) for row in values]


def digests_of_files(reads: Sequence[Callable[[], bytes]], cache: Path, report: Progress) -> list[str]:
    """Return a digest for each file, ``UNREADABLE`` for one that could not be read.

    The manifest in `cache` has a line for each file: path, size, mtime and ctime in nanoseconds, digest.
    Lines are only appended; a line that was cut off because its writer was killed is skipped.
    """
    found: list[str] = []
    with ThreadPoolExecutor(n_cpus() + 2) as threads:
        stamps: list[Stamp | None] = list(threads.map(_stamp, reads, chunksize=_N_CHUNK))
        manifest = manifest_path(cache, _manifest_name(stamps))
        lock = lock_path(cache, manifest.name)
        waiting = partial(report, "waiting for another process that reads the same files", 0, 1)
        # A user who may only read the cache stores no digests.
        may_write = os.access(manifest if manifest.exists() else manifest.parent, os.W_OK, effective_ids=True)
        with alone(lock, waiting) if may_write else contextlib.nullcontext():
            known = _read_manifest(manifest)
            for first in range(0, len(reads), _N_CHUNK):
                rows = range(first, min(first + _N_CHUNK, len(reads)))
                chunk = list(threads.map(lambda row: _digest(reads[row], stamps[row], known), rows))
                if may_write:
                    _append_to_manifest(
                        manifest, ((stamps[row], new) for row, new in zip(rows, chunk, strict=True)), known
                    )
                found += chunk
                report("reading files", len(found), len(reads))
    return found


def _stamp(read: Callable[[], bytes]) -> Stamp | None:
    try:
        return read.stamp() if hasattr(read, "stamp") else None
    except OSError:
        return None


def _digest(read: Callable[[], bytes], stamp: Stamp | None, known: dict[Stamp, str]) -> str:
    if stamp is not None and stamp in known:
        return known[stamp]
    try:
        return digest(read())
    except OSError:
        return UNREADABLE


def _manifest_name(stamps: Iterable[Stamp | None]) -> str:
    """Return the name of the manifest that all files of the same folder share."""
    folders = {os.path.dirname(stamp[0]) for stamp in stamps if stamp is not None}
    common = os.path.commonpath(folders) if folders else ""
    return hashlib.sha256(os.fsencode(common)).hexdigest()[:16]


def _read_manifest(manifest: Path) -> dict[Stamp, str]:
    known: dict[Stamp, str] = {}
    if not manifest.exists():
        return known
    for line in manifest.read_text(encoding="ascii", errors="replace").splitlines():
        try:
            path, size, mtime_ns, ctime_ns, found = json.loads(line)
            known[str(path), int(size), int(mtime_ns), int(ctime_ns)] = str(found)
        except (ValueError, TypeError):
            continue
    return known


def _append_to_manifest(manifest: Path, found: Iterable[tuple[Stamp | None, str]], known: dict[Stamp, str]) -> None:
    lines = [json.dumps([*stamp, new]) for stamp, new in found if stamp and new != UNREADABLE and stamp not in known]
    if lines:
        is_new = not manifest.exists()
        with manifest.open("a", encoding="ascii") as file:
            if is_new:
                share(manifest)
            # A line break also comes first, because an earlier line may have been cut off without one.
            file.write("\n" + "\n".join(lines) + "\n")
