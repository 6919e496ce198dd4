"""Tiny image files, each with different pixels, and folders of them to prepare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.folder import FolderSource


def pixels(seed: int, size: tuple[int, int] = (8, 8), channels: int = 3) -> np.ndarray[Any, Any]:
    """Return random pixels of shape (height, width, channels)."""
    return np.random.default_rng(seed).integers(0, 256, (*size, channels), dtype=np.uint8)


def picture(path: Path, seed: int, size: tuple[int, int] = (8, 8)) -> Path:
    """Write a PNG; its pixels depend on the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(seed, size)).save(path, format="PNG")
    return path


def pictures(folder: Path, n_per_class: int = 10, classes: tuple[str, ...] = ("cat", "dog"), seed: int = 0) -> Path:
    """Write ``folder/CLASS/NUMBER.png`` with all images different; return the folder."""
    for place, name in enumerate(classes):
        for number in range(n_per_class):
            picture(folder / name / f"{number}.png", seed + 10_000 * place + number)
    return folder


def source(folder: Path, **settings: Any) -> FolderSource:
    """Return the spec of a folder."""
    return FolderSource.model_validate({"source": "folder", "path": str(folder), **settings})


def refused(folder: Path, **settings: Any) -> str:
    """Return why a folder cannot be prepared."""
    with pytest.raises(DataError) as caught:
        prepare(source(folder, **settings), seed=1)
    return str(caught.value)


def sizes(dataset: Dataset) -> tuple[int, int, int]:
    """Return how many examples are for training, validation and test."""
    return dataset.n_train, dataset.n_validation, dataset.n_test
