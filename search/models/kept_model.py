"""A model that a study kept, loaded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keras.saving import load_model


def load_kept(path: Path) -> Any:
    """Return the ``keras.Model`` of a ``.keras`` file, compiled as it was trained."""
    return load_model(path)
