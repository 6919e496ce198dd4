"""The files beside a kept model that tell its errors: its answers to every example, and a picture of the worst."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.dataset import Dataset
from tunefront.search.trial.errors.worst_sheet import draw_worst
from tunefront.storage.files import PREDICTIONS, WORST

MOST_WORST = 24
_MOST_COMPRESSED_BYTES = 10_000_000  # compressing more would take seconds


def write_errors(model_path: Path, dataset: Dataset, split: str, answers: NDArray[np.floating]) -> None:
    """Write both files beside the model, or none if they cannot be written: the model itself matters more.

    There is no picture if nothing is wrong, or if the examples are no images.

    Args:
        split: The split that was answered, with folds that of the first one.
        answers: Probabilities of shape (n, k), or predicted numbers of shape (n,).
    """
    paths = [model_path.with_suffix(ending) for ending in (PREDICTIONS, WORST)]
    try:
        _write(paths[0], paths[1], dataset, split, answers)
    except OSError as error:
        sys.stderr.write(f"what tells the model's errors cannot be written, and it is kept without: {error}\n")
        for path in paths:
            path.unlink(missing_ok=True)


def worst(labels: NDArray[Any], answers: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the places of the worst answers, at most :data:`MOST_WORST`: wrong ones, the most confident first.

    Of numbers those with the largest errors. Of equals the first comes first.
    """
    if answers.ndim == 1:
        errors = np.abs(answers.astype(np.float64) - labels)
        is_wrong, badness = errors > 0, errors
    else:
        is_wrong, badness = answers.argmax(axis=1) != labels, answers.max(axis=1)
    wrong = np.flatnonzero(is_wrong)
    return wrong[np.argsort(-badness[wrong], kind="stable")][:MOST_WORST]


def _of_classes(probabilities: NDArray[np.floating]) -> dict[str, NDArray[Any]]:
    """Return what is stored of probabilities: in half precision, in which the largest two may be the same one."""
    return {
        "probabilities": probabilities.astype(np.float16),
        "chosen": probabilities.argmax(axis=1).astype(np.int32),
    }


def _write(predictions: Path, sheet: Path, dataset: Dataset, split: str, answers: NDArray[np.floating]) -> None:
    examples = dataset.split(split)
    labels = np.asarray(examples.labels)
    chosen = worst(labels, answers)
    arrays: dict[str, Any] = {
        "labels": labels,
        **({"numbers": answers} if answers.ndim == 1 else _of_classes(answers)),
        "indices": dataset.places(split),
        "names": np.array(dataset.names(split), dtype=np.str_),
        "class_names": np.array(dataset.class_names, dtype=np.str_),
        "split": np.array(split),
        "worst": chosen,
    }
    is_small = sum(array.nbytes for array in arrays.values()) <= _MOST_COMPRESSED_BYTES
    predictions.unlink(missing_ok=True)
    with predictions.open("xb") as file:  # "x" refuses an existing file, so a link is not followed
        (np.savez_compressed if is_small else np.savez)(file, **arrays)
    drawn = draw_worst(examples, answers, chosen, dataset.class_names) if len(chosen) else None
    sheet.unlink(missing_ok=True)
    if drawn is not None:
        with sheet.open("xb") as file:
            drawn.save(file, format="PNG")
