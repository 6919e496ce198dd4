"""What all tests of uploads have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunefront.approvals import approve


@pytest.fixture(autouse=True)
def _approved(tmp_path: Path) -> None:
    """Let this user have named all folders here, as by `run`."""
    approve([], [tmp_path])
