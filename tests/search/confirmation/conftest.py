"""A finished search to confirm."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.search.confirmation.searched import search_fixture
from tests.search.supervisor_fixture import SupervisorFixture
from tunefront.search.supervisor.end_reason import Ending


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search that is done, with four different candidates."""
    fixture = search_fixture(tmp_path_factory.mktemp("search"))
    study = fixture.study.optuna
    for number in range(4):
        study.enqueue_trial({"adam.learning_rate": round(0.1 + number / 10, 1)})
    assert fixture.run() is Ending.DONE
    return fixture.folder


@pytest.fixture
def search(finished: Path, tmp_path: Path) -> SupervisorFixture:
    """A copy of the finished search that a test may change."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    return search_fixture(tmp_path)
