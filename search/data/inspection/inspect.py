"""The inspection of a prepared dataset: counts, sizes, values, copies, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.classes import with_classes
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.decoding.digests import digests_of_values
from tunefront.search.data.decoding.pixels import decoding_of
from tunefront.search.data.decoding.processes import measure_all
from tunefront.search.data.examples import SPLITS, Progress, SplitName
from tunefront.search.data.inspection.column_facts import facts_of_columns
from tunefront.search.data.inspection.data_report import (
    ClassCount,
    Copies,
    DataReport,
    NumberRange,
    OriginalSizes,
)
from tunefront.search.data.sources import FileSource, Source
from tunefront.search.data.splitting.duplicates import groups_of, n_contradictions

_MAX_MEASURED = 10_000  # original files; measuring more takes minutes and tells no more
_CHUNK_BYTES = 16_000_000


def inspect(dataset: Dataset, source: Source, progress: Progress | None = None) -> DataReport:
    """Look at all values of a prepared dataset, and at the image files that `source` finds. Read-only.

    Raises:
        DataError: If the source's files have disappeared since.
    """
    report = progress or (lambda what, done, total: None)
    labels = np.load(Path(dataset.folder) / "labels.npy")
    rows = _rows_of_splits(dataset)
    values = np.load(Path(dataset.folder) / "images.npy", mmap_mode="r")
    value_range, n_constant, digests = _look_at(values, report)
    return DataReport(
        source=dataset.source,
        folder=dataset.folder,
        fingerprint=dataset.fingerprint,
        image_shape=dataset.image_shape,
        value_type=str(values.dtype),
        value_range=None if dataset.columns else value_range,
        n_constant=n_constant,
        folds=dataset.folds,
        splits={split: len(rows[split]) for split in SPLITS},
        classes=_class_counts(labels, rows, dataset.class_names),
        copies=_copies(groups_of(digests), labels, rows),
        original_sizes=_original_sizes(source, report) if isinstance(source, FileSource) else None,
        notes=dict(dataset.notes),
        numbers=_number_ranges(labels, rows) if dataset.task == "regression" else (),
        split_by=dataset.split_by,
        columns=facts_of_columns(dataset.columns, values, rows["train"]),
    )


def _class_counts(
    labels: NDArray[Any], rows: Mapping[SplitName, NDArray[np.int64]], names: Sequence[str]
) -> tuple[ClassCount, ...]:
    if not names:
        return ()
    counts = {split: np.bincount(labels[rows[split]], minlength=len(names)).tolist() for split in SPLITS}
    return tuple(ClassCount(name, *(counts[split][number] for split in SPLITS)) for number, name in enumerate(names))


def _number_ranges(labels: NDArray[Any], rows: Mapping[SplitName, NDArray[np.int64]]) -> tuple[NumberRange, ...]:
    limits = (float(labels.min()), float(labels.max()))
    found = []
    for split in SPLITS:
        numbers = labels[rows[split]].astype(np.float64)
        if len(numbers):
            first, median, third = np.quantile(numbers, (0.25, 0.5, 0.75)).tolist()
            found.append(
                NumberRange(
                    split=split,
                    n=len(numbers),
                    least=float(numbers.min()),
                    largest=float(numbers.max()),
                    mean=float(numbers.mean()),
                    deviation=float(numbers.std()),
                    quartiles=(first, median, third),
                    counts=tuple(np.histogram(numbers, bins=10, range=limits)[0].tolist()),
                )
            )
    return tuple(found)


def _rows_of_splits(dataset: Dataset) -> dict[SplitName, NDArray[np.int64]]:
    """Return the rows of each split, as in :meth:`Dataset.split`, without opening any images."""
    places = np.arange(dataset.n_search + dataset.n_test)
    return {split: places[dataset.rows(split)] for split in SPLITS}


def _look_at(values: NDArray[Any], report: Progress) -> tuple[tuple[float, float], int, list[str]]:
    """Return the range of all values, how many examples have one value only, and a digest of each example."""
    lows: list[float] = []
    highs: list[float] = []
    digests: list[str] = []
    n_constant = 0
    n_rows = max(1, _CHUNK_BYTES // max(1, values[0].nbytes))
    for first in range(0, len(values), n_rows):
        chunk = np.asarray(values[first : first + n_rows])
        low, high = (found(chunk.reshape(len(chunk), -1), axis=1) for found in (np.min, np.max))
        lows.append(float(low.min()))
        highs.append(float(high.max()))
        n_constant += int((low == high).sum())
        digests += digests_of_values(chunk)
        report("looking at the values", len(digests), len(values))
    return (min(lows), max(highs)), n_constant, digests


def _copies(
    groups: NDArray[np.int64], labels: NDArray[np.int64], rows: Mapping[SplitName, NDArray[np.int64]]
) -> Copies:
    contents = {split: np.unique(groups[rows[split]]) for split in SPLITS}
    return Copies(
        within={split: len(rows[split]) - len(contents[split]) for split in SPLITS},
        across={
            f"{one} and {other}": len(np.intersect1d(contents[one], contents[other]))
            for one, other in combinations(SPLITS, 2)
        },
        n_contradictory=n_contradictions(groups, labels),
    )


def _original_sizes(source: FileSource, report: Progress) -> OriginalSizes | None:
    examples = source.find()
    if source.task == "classification":
        examples = with_classes(examples, source.classes)
    n_files = len(examples)
    chosen = np.unique(np.linspace(0, n_files - 1, min(n_files, _MAX_MEASURED)).round().astype(np.int64))
    content: Any = examples.take(chosen).content
    sizes = measure_all(dict(enumerate(content)), decoding_of(source), report).sizes  # the notes count bad files
    if not sizes:
        return None
    in_order = sorted(sizes.values(), key=lambda size: (size[0] * size[1], size))
    heights, widths = (int(np.median([size[side] for size in in_order])) for side in (0, 1))
    return OriginalSizes(in_order[0], (heights, widths), in_order[-1], len(sizes), n_files)
