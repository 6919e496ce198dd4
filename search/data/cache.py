"""Prepare a dataset once; every trial of every worker on this machine maps the same files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from search.data import digits, splits
from search.data.dataset import Dataset

_FORMAT = 1  # of the files; a change makes new ones


def cache_folder() -> Path:
    """``TUNEFRONT_CACHE``, or ``tunefront`` in the user's cache folder."""
    chosen = os.environ.get("TUNEFRONT_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunefront"


def prepare(settings: Mapping[str, Any], seed: int) -> Dataset:
    """The dataset that `settings` (a spec's ``[data]``) describe, prepared now if it is not yet.

    Safe against being killed half-way and against others that prepare the same: the folder gets its
    name only when it is whole.
    """
    key = hashlib.sha256(json.dumps([_FORMAT, seed, dict(settings)], sort_keys=True).encode()).hexdigest()[:16]
    folder = cache_folder() / f"{settings['source']}-{key}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            _write(partial, settings, seed)
            _publish(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return Dataset.read(folder)


def _write(folder: Path, settings: Mapping[str, Any], seed: int) -> None:
    images, labels, class_names = digits.load()
    rows = splits.stratified(labels, settings["validation_fraction"], settings["test_fraction"], seed)
    digest = hashlib.sha256()
    for name, chosen in rows.items():
        np.save(folder / f"{name}_images.npy", images[chosen])
        np.save(folder / f"{name}_labels.npy", labels[chosen])
        digest.update(images[chosen].tobytes() + labels[chosen].tobytes())
    facts = {
        "source": settings["source"],
        "fingerprint": digest.hexdigest()[:16],
        "class_names": class_names,
        "image_shape": images.shape[1:],
        **{f"n_{name}": len(chosen) for name, chosen in rows.items()},
    }
    (folder / "dataset.json").write_text(json.dumps(facts))


def _publish(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was first, with the same content
            raise
