"""Supervised stub trainings with checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.search.checkpointed_trials import EPOCHS, StubTraining, follow_with_checkpoints
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor.resumption.checkpointed_runs import UNTIMED
from tests.search.supervisor_fixture import SupervisorFixture, make_spec


@pytest.fixture
def make_fixture(tmp_path: Path) -> MakeFixture:
    def make(
        plan: Mapping[int, StubTraining] | None = None, *, n_threads: int = 1, time_limit: float = 1e4, **changes: Any
    ) -> SupervisorFixture:
        spec = make_spec(
            **{"trials": 1, "objectives": UNTIMED, **changes, "training": {"epochs": EPOCHS, "time_limit": time_limit}}
        )
        return SupervisorFixture(tmp_path, spec, plan or {}, n_threads=n_threads, trains=follow_with_checkpoints)

    return make
