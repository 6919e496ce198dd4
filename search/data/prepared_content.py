"""The content of a prepared dataset's folder: pixels in the order of their splits, and facts about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.classes import check_n_classes, note_similar_names, positive_class
from tunefront.search.data.codes import count_unknown, fitted, recoded
from tunefront.search.data.dataset_files import write_arrays, write_facts
from tunefront.search.data.decoding.pixel_scale import are_pixels
from tunefront.search.data.decoding.pixels import DECODED, SKIPPED, Pixels, pixels_of, with_bit_depth
from tunefront.search.data.decoding.reuse import write_origins
from tunefront.search.data.example_names import relative_names, write_names
from tunefront.search.data.examples import Examples, Progress
from tunefront.search.data.sources.source import ArraySource, Source
from tunefront.search.data.splitting.content_digests import content_digests
from tunefront.search.data.splitting.division import divide_examples
from tunefront.search.data.splitting.near_copies import NEAR_COPIES, note_near_copies
from tunefront.search.data.splitting.number_splits import refuse_constant, training_rows
from tunefront.search.data.splitting.rare_classes import note_unreadable
from tunefront.search.data.splitting.splits import LEFT_OUT, TRAIN, TRAIN_IN_EVERY_FOLD, names_of_parts
from tunefront.spaces.columns.column import Column

_LISTS = {
    SKIPPED: "each file that was left out is named, with the reason, in",
    NEAR_COPIES: "images that look alike are named, two on a line, in",
}


def write_content(
    folder: Path, source: Source, seed: int, examples: Examples, digests: Sequence[str], report: Progress
) -> None:
    """Decode, divide and write everything.

    Args:
        digests: A digest of each example's encoded file, or of its values if they come as an array.

    Raises:
        DataError: If the data cannot be used: file, key, value and remedy.
    """
    pixels = pixels_of(examples, digests, source, folder, report)
    unreadable = note_unreadable(examples, pixels.examples, source)
    division = divide_examples(pixels.examples, pixels.digests, source, seed)
    is_training = _is_training(division.parts, source)
    pixels = with_bit_depth(pixels, is_training, folder, report)
    pixels, columns = _with_training_categories(pixels, is_training)
    alike = _near_copies(pixels, division.parts, source, folder, report)
    labels, class_names = _labels(pixels.examples, division.parts, source)
    check_n_classes(source.n_classes, len(class_names))
    facts, order = write_arrays(folder, pixels.values, pixels.rows, labels, division.parts, source.folds, report)
    if pixels.decoding is not None:
        rows = pixels.rows[order].tolist()
        # Files of 16 bits are scaled by the training images of this dataset. No other dataset can reuse their pixels.
        write_origins(folder, pixels.decoding, ["" if row in pixels.deep_maxima else digests[row] for row in rows])
    (folder / DECODED).unlink(missing_ok=True)
    names = relative_names(pixels.examples, source)
    write_names(folder, [names[example] for example in order.tolist()])
    notes = {
        **examples.notes,
        **pixels.notes,
        **unreadable,
        **division.notes,
        **alike,
        **note_similar_names(class_names),
    }
    write_facts(
        folder,
        {
            **facts,
            **(_by_time(facts, division.parts, source) if source.split == "time" else {}),
            **_facts_of_columns(columns, facts["fingerprint"]),
            "source": source.source,
            "task": source.task,
            "class_names": class_names,
            **({"outputs": source.n_classes} if source.n_classes else {}),
            "folds": source.folds,
            "bit_depth": pixels.decoding.bit_depth if pixels.decoding and pixels.deep_maxima else None,
            "positive_class": positive_class(source.positive_class, class_names),
            "digests": content_digests(pixels.digests, pixels.examples, division.parts),
            "notes": {what: count for what, count in notes.items() if count},
        },
    )


def _labels(examples: Examples, parts: NDArray[np.int64], source: Source) -> tuple[NDArray[Any], list[str]]:
    """Return labels, and class names without those of classes that were left out; numbers to predict have no names.

    Raises:
        DataError: If the numbers to train on are all the same.
    """
    if source.task == "regression":
        for what, rows in training_rows(parts, source):
            refuse_constant(examples.labels[rows], what, source.origin)
        return examples.labels, []
    kept = np.unique(examples.labels[parts != LEFT_OUT])
    return np.searchsorted(kept, examples.labels), [str(examples.class_names[label]) for label in kept]


def _by_time(facts: Mapping[str, Any], parts: NDArray[np.int64], source: Source) -> dict[str, Any]:
    """Return the facts of a split by time; with folds, training while fold 0 validates is what lies before it."""
    if not source.folds:
        return {"split_by": "time", "gap": source.gap}
    n_train = int((parts == TRAIN_IN_EVERY_FOLD).sum()) - source.gap
    return {"split_by": "time", "gap": source.gap, "n_train": n_train}


def describe_lists(folder: str) -> list[str]:
    """Return lines that say which files list the examples that were left out, and images that look alike."""
    return [f"{what} {Path(folder) / name}" for name, what in _LISTS.items() if (Path(folder) / name).exists()]


def _with_training_categories(pixels: Pixels, is_training: NDArray[np.bool_]) -> tuple[Pixels, tuple[Column, ...]]:
    """Return the values of a table with the codes of those categories that occur in training, and its columns."""
    every = pixels.examples.columns
    if not every:
        return pixels, ()
    columns = fitted(every, pixels.values[pixels.rows[is_training]])
    unknown = count_unknown(pixels.values, every, columns)
    named = ", ".join(f"{name} ({count:,})" for name, count in unknown.items())
    what = f"cells of validation or test have a category that no training example has, and count as unknown: {named}"
    return replace(
        pixels,
        values=recoded(pixels.values, every, columns),
        notes={**pixels.notes, **({what: sum(unknown.values())} if unknown else {})},
    ), columns


def _facts_of_columns(columns: Sequence[Column], fingerprint: str) -> dict[str, Any]:
    """Return facts about a table's columns. Its values have no common range, and codes alone do not tell categories."""
    if not columns:
        return {}
    names = [(column.name, column.kind, column.vocabulary) for column in columns]
    return {
        "columns": [asdict(column) for column in columns],
        "value_range": None,
        "fingerprint": hashlib.sha256(f"{fingerprint}{json.dumps(names)}".encode()).hexdigest()[:16],
    }


def _is_training(parts: NDArray[np.int64], source: Source) -> NDArray[np.bool_]:
    return np.isin(parts, [TRAIN_IN_EVERY_FOLD, *range(source.folds)] if source.folds else [TRAIN])


def _near_copies(
    pixels: Pixels, parts: NDArray[np.int64], source: Source, folder: Path, report: Progress
) -> dict[str, int]:
    if not are_pixels(pixels.values, source.scale if isinstance(source, ArraySource) else ""):
        return {}
    return note_near_copies(
        pixels.values,
        pixels.rows,
        pixels.examples.names,
        parts,
        names_of_parts(source.folds),
        folder,
        lambda done, total: report("looking for images that are alike", done, total),
    )
