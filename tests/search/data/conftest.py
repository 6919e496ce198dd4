"""The cache folder of a test."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def cache_folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "tunefront"  # below the folder that the fixture for all tests has set
