"""What a model's file holds, to compare two of them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np


def model_arrays(path: Path) -> dict[str, str]:
    """Return the SHA-256 of each array of a ``.keras`` file, those of its optimizer too."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    found: dict[str, str] = {}

    def note(name: str, entry: Any) -> None:
        if isinstance(entry, h5py.Dataset):
            found[name] = hashlib.sha256(np.asarray(entry).tobytes()).hexdigest()

    with h5py.File(content) as file:
        file.visititems(note)
    return found
