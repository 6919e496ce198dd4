"""What frozen parts of networks make of datasets: files that all trials of this machine map into memory.

Nothing half-made has a name. Whoever uses a file shares its lock, so that it is not dropped.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tunefront.search.data.cache import write_through
from tunefront.search.data.cache_entries import list_cache, remove_entry, remove_unfinished, unlocked
from tunefront.search.data.cache_folder import (
    FEATURE_FACTS,
    FEATURES,
    PARTIAL,
    lock_path,
    note_use,
    share,
    share_to_read,
)
from tunefront.search.data.dataset import UNREADABLE_ARRAY
from tunefront.search.data.examples import DataError
from tunefront.search.data.lock import alone_unless, share_lock
from tunefront.storage.database.sqlite_file import MOUNTS, network_type

_ARRAY = "features.npy"
Write = Callable[[NDArray[Any]], None]


class FeatureCacheError(Exception):
    """Features cannot be kept on this machine: why."""


@dataclass(frozen=True)
class Features:
    """Features in use, until they are closed or the process ends.

    Attributes:
        array: Shape (n, ...), of all examples of a dataset in the order of its arrays, mapped into memory.
        facts: The facts that were stored with them.
    """

    array: NDArray[Any]
    facts: Mapping[str, Any]
    _lock: int

    def close(self) -> None:
        """Let them be dropped."""
        os.close(self._lock)


class FeatureCache:
    """The features on this machine.

    Args:
        cache: The folder of prepared data, in which they get one of their own.
        most_bytes: The bytes that they take at most, beside those in use.
        mounts: A file like /proc/mounts.

    Raises:
        FeatureCacheError: If they cannot be kept where prepared data is.
    """

    def __init__(self, cache: Path, most_bytes: float, mounts: Path = MOUNTS) -> None:
        self._cache = cache
        self._most_bytes = most_bytes
        network = network_type(self._cache, mounts)
        if network:  # a lock may not hold there, and reading over a network may take longer than computing
            raise FeatureCacheError(f"{self._cache} is on a file system of the network ({network})")

    def take(self, key: str) -> Features | None:
        """Use features, after waiting for a process that makes them; None if there are none, or damaged ones.

        Raises:
            FeatureCacheError: If files cannot be locked.
        """
        try:
            lock = share_lock(lock_path(self._cache, _name(key)))
        except DataError as error:
            raise FeatureCacheError(str(error)) from error
        found = _read(self._folder(key))
        if found is None:
            os.close(lock)
            return None
        note_use(self._folder(key))
        return Features(*found, lock)

    def make(
        self, key: str, shape: Sequence[int], dtype: DTypeLike, compute: Callable[[Write], Mapping[str, Any]]
    ) -> None:
        """Make features unless they are there, alone on this machine; the least recently used ones make room.

        Args:
            shape: Their shape, (n, ...).
            compute: Called with a function that writes the next rows; it returns facts, ``origin`` among them, a text
                for people.

        Raises:
            FeatureCacheError: If they cannot be written.
        """
        folder = self._folder(key)
        try:
            _make_shared(folder.parent)
            lock = lock_path(self._cache, _name(key))
            with alone_unless(lock, lambda: _read(folder) is not None) as is_alone:
                if is_alone and _read(folder) is None:
                    self._write(folder, tuple(shape), np.dtype(dtype), compute)
        except OSError as error:
            raise FeatureCacheError(f"{folder.parent}: {error.strerror or error}") from error
        except DataError as error:
            raise FeatureCacheError(str(error)) from error

    def _write(
        self, folder: Path, shape: tuple[int, ...], dtype: np.dtype[Any], compute: Callable[[Write], Mapping[str, Any]]
    ) -> None:
        remove_unfinished(folder)
        self._make_room(int(np.prod(shape)) * dtype.itemsize)
        partial = Path(tempfile.mkdtemp(prefix=f"{PARTIAL}{folder.name}-", dir=folder.parent))
        try:
            with suppress(FileNotFoundError):  # damaged ones; running trials keep the files that they have open
                folder.rename(partial / "damaged")
            with (partial / _ARRAY).open("wb") as file:  # not mapped: a full disk would end the process
                header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                facts = compute(lambda rows: _write_rows(file, np.ascontiguousarray(rows, dtype)))
            facts = {**facts, "shape": list(shape), "dtype": dtype.str}
            (partial / FEATURE_FACTS).write_text(json.dumps(facts))
            shutil.rmtree(partial / "damaged", ignore_errors=True)
            share_to_read(partial)
            write_through(partial)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _make_room(self, n_bytes: int) -> None:
        entries = [entry for entry in list_cache(self._cache) if entry.what == "features"]
        total = n_bytes + sum(entry.n_bytes for entry in entries)
        for entry in sorted(entries, key=lambda entry: entry.used):
            if total <= self._most_bytes:
                return
            with unlocked(lock_path(self._cache, entry.path.name)) as is_free:
                if is_free and not remove_entry(entry.path, self._cache):
                    total -= entry.n_bytes

    def _folder(self, key: str) -> Path:
        return self._cache / FEATURES / _name(key)


def _name(key: str) -> str:
    return f"features-{key}"  # locks of all kinds of entries lie in one folder


def _make_shared(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        share(folder)


def _write_rows(file: Any, rows: NDArray[Any]) -> None:
    file.write(rows.data)


def _read(folder: Path) -> tuple[NDArray[Any], Mapping[str, Any]] | None:
    """Map features into memory, with their facts; None if they are not there with all of their values."""
    try:
        facts = json.loads((folder / FEATURE_FACTS).read_text())
        array = np.load(folder / _ARRAY, mmap_mode="r", allow_pickle=False)
    except UNREADABLE_ARRAY:
        return None
    is_whole = isinstance(facts, dict) and [list(array.shape), array.dtype.str] == [facts["shape"], facts["dtype"]]
    return (array, facts) if is_whole else None
