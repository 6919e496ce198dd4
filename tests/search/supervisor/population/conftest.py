"""Populations with stub trainings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.search.checkpointed_trials import StubTraining, follow_with_checkpoints
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor.population.members import PLAN, population_spec
from tests.search.supervisor_fixture import SupervisorFixture


@pytest.fixture
def make_fixture(tmp_path: Path) -> MakeFixture:
    def make(
        plan: Mapping[int, StubTraining] = PLAN, *, n_slots: int = 1, n_threads: int = 1, **changes: Any
    ) -> SupervisorFixture:
        spec = population_spec(**changes)
        return SupervisorFixture(
            tmp_path, spec, plan, n_slots=n_slots, n_threads=n_threads, trains=follow_with_checkpoints
        )

    return make
