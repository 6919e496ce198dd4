"""The preparation of data in fault tests: no data, and nothing that takes long to import."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def answer_folder(folder: str, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Answer as the preparation of a study's data does, without any data."""
    return {"folder": folder, "versions": {"keras": "3"}}


def answer_never(mark: str, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Make a file, and prepare data for ever."""
    Path(mark).touch()
    while True:
        time.sleep(1)
