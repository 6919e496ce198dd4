"""Prepare a dataset once, so that every trial of every worker on this machine maps the same files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tunefront.search.data.cache_entries import remove_unfinished
from tunefront.search.data.cache_folder import (
    PARTIAL,
    lock_path,
    make_cache_folder,
    note_use,
    share_to_read,
    write_origin,
)
from tunefront.search.data.classes import positive_class, with_classes
from tunefront.search.data.dataset import UNREADABLE_ARRAY, Dataset, opened
from tunefront.search.data.decoding.digests import digests_of_files, digests_of_values
from tunefront.search.data.example_names import relative_names
from tunefront.search.data.examples import DataError, Examples, Progress
from tunefront.search.data.lock import alone
from tunefront.search.data.prepared_content import write_content
from tunefront.search.data.sources.source import FileSource, Source

_FORMAT = 4  # version of the files and of the splitting; a new version prepares every dataset again


def prepare(source: Source, seed: int, progress: Progress | None = None, *, are_images: bool = False) -> Dataset:
    """Return the dataset that `source` (a spec's ``[data]``) describes, and prepare it if that was not done yet.

    The folder gets its name only when it is whole, so a killed process leaves no half of one. A damaged folder, with a
    file cut off or missing, is made again. If several processes prepare the same dataset, one does it and the others
    wait.

    Args:
        progress: Called often with what is being done, how much is done, and of how much.
        are_images: Whether values of shape (n, height, width) are grey images, which get the channel that they lack.

    Raises:
        DataError: If the data cannot be used: file, key, value and remedy.
    """
    report = progress or (lambda what, done, total: None)
    cache = make_cache_folder()
    report("looking for the examples", 0, 1)
    examples = source.find()
    if source.task == "classification":
        examples = with_classes(examples, source.classes)
        positive_class(source.positive_class, examples.class_names)
    content = examples.content
    if are_images and isinstance(content, np.ndarray) and content.ndim == 3:
        content = content[..., np.newaxis]
        examples = replace(examples, content=content)
    digests = (
        digests_of_values(content) if isinstance(content, np.ndarray) else digests_of_files(content, cache, report)
    )
    folder = cache / f"{source.source}-{_key(source, seed, examples, digests)}"
    if not is_whole(folder):
        with alone(
            lock_path(cache, folder.name),
            lambda: report("waiting for another process that prepares the same data", 0, 1),
        ):
            if not is_whole(folder):
                _prepare(folder, source, seed, examples, digests, report)
    note_use(folder)
    return Dataset.read(folder)


def ensure(dataset: Dataset, source: Source, seed: int) -> Dataset:
    """Return the same dataset, prepared again if somebody has removed or damaged its files since.

    Raises:
        DataError: If it cannot be prepared, or what it comes from has changed.
    """
    if is_whole(Path(dataset.folder)):
        return dataset
    opened.cache_clear()
    again = prepare(source, seed, are_images=len(dataset.image_shape) == 3)
    if again.fingerprint != dataset.fingerprint:
        raise DataError(
            "data: the prepared images were removed, and what they were made from has changed since: put back what has "
            "changed, or give the study another name to search on the new images"
        )
    return again


def is_whole(folder: Path) -> bool:
    """Return whether a prepared dataset is there with all of its values."""
    try:
        dataset = Dataset.read(folder)
        images, labels = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "labels"))
        n_folds = len(np.load(folder / "folds.npy")) if dataset.folds else 0
    except UNREADABLE_ARRAY:
        return False
    n_search = n_folds if dataset.folds else dataset.n_train + dataset.n_validation
    is_complete = len(images) == len(labels) == n_search + dataset.n_test and images.shape[1:] == dataset.image_shape
    # After a power cut, a file can have the right size and hold zeros. Numbers to predict are never all the same.
    n_different = len(np.unique(labels)) if is_complete else 0
    return n_different > 1 if dataset.task == "regression" else n_different == dataset.n_classes > 0


def _key(source: Source, seed: int, examples: Examples, digests: Sequence[str]) -> str:
    """Return a digest of all that the prepared arrays depend on; the place of the files is not part of it."""
    settings = source.model_dump(mode="json", include=set(Source.model_fields) | set(FileSource.model_fields))
    if source.n_classes is None:  # data that was prepared before there was such a key stays as it is
        del settings["n_classes"]
    parts = [_FORMAT, seed, settings, list(examples.class_names), examples.splits and list(examples.splits)]
    parts += [list(examples.groups)] if examples.groups else []
    parts += (
        [[(column.name, column.kind, column.vocabulary) for column in examples.columns], source.joins_copies]
        if (examples.columns)
        else []
    )
    # Names of arrays' rows follow from their order, which the values have already.
    parts += [] if isinstance(examples.content, np.ndarray) else [relative_names(examples, source)]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    if isinstance(examples.content, np.ndarray):
        digest.update(f"{examples.content.dtype.str}{examples.content.shape[1:]}".encode())
    digest.update(examples.labels.tobytes())
    digest.update("".join(digests).encode())
    return digest.hexdigest()[:16]


def _prepare(
    folder: Path, source: Source, seed: int, examples: Examples, digests: Sequence[str], report: Progress
) -> None:
    """Prepare the dataset; the caller holds the lock of `folder`."""
    remove_unfinished(folder)
    partial = Path(tempfile.mkdtemp(prefix=f"{PARTIAL}{folder.name}-", dir=folder.parent))
    try:
        if folder.exists():  # a damaged dataset; running trials keep the files that they have open
            folder.rename(partial / "damaged")
        write_content(partial, source, seed, examples, digests, report)
        shutil.rmtree(partial / "damaged", ignore_errors=True)
        write_origin(partial, source.origin)
        share_to_read(partial)
        write_through(partial)
        partial.rename(folder)
        opened.cache_clear()
    except OSError as error:
        raise DataError(
            f"{folder.parent}: the prepared data cannot be written ({error.strerror or error}): "
            "make room there, or set TUNEFRONT_CACHE to another folder"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_through(folder: Path) -> None:
    """Flush all files of a folder to disk, so that a power cut after it got its name leaves it whole."""
    for path in (*folder.iterdir(), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
