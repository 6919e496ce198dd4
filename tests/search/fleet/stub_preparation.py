"""The preparation of data in fault tests: no data, and nothing that takes long to import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def answer_folder(folder: str, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Answer as the preparation of a study's data does, without any data."""
    return {"folder": folder, "versions": {"keras": "3"}}
