"""The files of a prepared dataset: all examples in the order of their splits, and the facts."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError, Progress
from tunefront.search.data.splitting.splits import TEST, TRAIN, TRAIN_IN_EVERY_FOLD, VALIDATION

_CHUNK_BYTES = 16_000_000


def require_space(folder: Path, n_bytes: int) -> None:
    """Refuse to write what will not fit on the disk.

    Raises:
        DataError: Says how many bytes are needed and available.
    """
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise DataError(
            f"{folder}: the prepared data needs {n_bytes / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free there: "
            "make room, set TUNEFRONT_CACHE to a folder elsewhere, or write a smaller image_size"
        )


def write_arrays(
    folder: Path,
    values: NDArray[Any],
    places: NDArray[np.int64],
    labels: NDArray[Any],
    parts: NDArray[np.int64],
    n_folds: int,
    report: Progress,
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Write ``images.npy``, ``labels.npy`` and, with folds, ``folds.npy``.

    `places` are the rows of the examples in `values`. The written rows are those of training, validation and test one
    after another. With folds they are those of all folds in the order of `values`, then those of the test.

    Returns:
        Facts for ``dataset.json``, and the number of each row's example.
    """
    names = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
    rows = {name: np.flatnonzero(parts == part) for name, part in names.items()}
    sizes = {f"n_{name}": len(chosen) for name, chosen in rows.items()}
    if n_folds:
        is_search = (parts >= 0) | (parts == TRAIN_IN_EVERY_FOLD)
        rows = {"search": np.flatnonzero(is_search), "test": rows["test"]}
        n_validation = int((parts == 0).sum())
        sizes |= {"n_train": len(rows["search"]) - n_validation, "n_validation": n_validation}
    order = np.concatenate(list(rows.values()))
    fingerprint = hashlib.sha256()
    with (folder / "images.npy").open("wb") as file:
        header = np.lib.format.header_data_from_array_1_0(values[:0])
        np.lib.format.write_array_header_1_0(file, {**header, "shape": (len(order), *values.shape[1:])})
        n_written = 0
        lows, highs = [], []
        for name, chosen in rows.items():
            for chunk in _chunks(values, places[chosen]):
                if name in ("train", "search"):
                    lows.append(float(chunk.min()))
                    highs.append(float(chunk.max()))
                file.write(chunk.data)
                fingerprint.update(chunk.data)
                n_written += len(chunk)
                report("writing the prepared data", n_written, len(order))
            fingerprint.update(labels[chosen].tobytes())
    np.save(folder / "labels.npy", labels[order])
    if n_folds:
        np.save(folder / "folds.npy", parts[rows["search"]])
        fingerprint.update(parts[rows["search"]].tobytes())
    facts = {
        "fingerprint": fingerprint.hexdigest()[:16],
        "image_shape": list(values.shape[1:]),
        "value_type": str(values.dtype),
        "value_range": [min(lows), max(highs)] if lows else None,
        **sizes,
    }
    return facts, order


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write ``dataset.json``, which :meth:`tunefront.search.data.Dataset.read` opens."""
    (folder / "dataset.json").write_text(json.dumps(facts))


def _chunks(values: NDArray[Any], rows: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
    n_rows = max(1, _CHUNK_BYTES // max(1, int(np.prod(values.shape[1:])) * values.itemsize))
    for first in range(0, len(rows), n_rows):
        yield np.ascontiguousarray(values[rows[first : first + n_rows]])
