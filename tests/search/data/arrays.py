"""Arrays in an npz file, as a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.sources import DataTable


def prepared(folder: Path, values: np.ndarray, labels: np.ndarray, **keys: Any) -> Dataset:
    """Write values and labels into an npz file, and prepare it."""
    np.savez(folder / "arrays.npz", x=values, y=labels)
    table = {"source": "npz", "path": str(folder / "arrays.npz"), **keys}
    return prepare(TypeAdapter(DataTable).validate_python(table), seed=1)


def noise(*shape: int) -> np.ndarray:
    """Return random bytes, the same for each shape."""
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
