"""Supervised studies with stub trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.search.stub_trials import Plan
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor_fixture import SupervisorFixture, make_spec


@pytest.fixture
def make_fixture(tmp_path: Path) -> MakeFixture:
    def make(
        plan: Plan | None = None, *, n_slots: int = 1, worker_id: str = "anna", **changes: Any
    ) -> SupervisorFixture:
        return SupervisorFixture(tmp_path, make_spec(**changes), plan or {}, n_slots=n_slots, worker_id=worker_id)

    return make
