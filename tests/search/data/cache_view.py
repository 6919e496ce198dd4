"""What lies in a cache, as tests look at it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tunefront.search.data.sources.digits import DigitsSource


def prepared_folders(cache_folder: Path) -> list[str]:
    """Return names of what lies in the cache, whole or not."""
    return sorted(path.name for path in cache_folder.iterdir() if path.name not in ("locks", "manifests", "records"))


def manifest_of(cache_folder: Path) -> list[Any]:
    """Return every digest that was ever remembered: a line for each reading of a file."""
    lines = [line for path in cache_folder.glob("manifests/*") for line in path.read_text().splitlines() if line]
    return [json.loads(line) for line in lines]


def digits(**settings: Any) -> DigitsSource:
    return DigitsSource.model_validate({"source": "digits", **settings})
