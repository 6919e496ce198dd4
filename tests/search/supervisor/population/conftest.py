"""Populations with stub trainings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.search.checkpointed_trials import EPOCHS, StubTraining, follow_with_checkpoints
from tests.search.supervisor.population.members import FIXED, PLAN, SPACE, MakeFixture
from tests.search.supervisor_fixture import SupervisorFixture, make_spec


@pytest.fixture
def make_fixture(tmp_path: Path) -> MakeFixture:
    def make(
        plan: Mapping[int, StubTraining] = PLAN, *, n_slots: int = 1, n_threads: int = 1, **changes: Any
    ) -> SupervisorFixture:
        sampler = {"name": "pbt", "population": 4, "interval": 2, "resample_probability": 0.0}
        spec = make_spec(
            **{
                "trials": 4,
                "space": {**SPACE, "plain_cnn": {**SPACE["plain_cnn"], **FIXED}},
                "objectives": {"time": False},
                "training": {"epochs": EPOCHS, "time_limit": 1e4},
                "sampler": {**sampler, **changes.pop("sampler", {})},
                **changes,
            }
        )
        return SupervisorFixture(
            tmp_path, spec, plan, n_slots=n_slots, n_threads=n_threads, trains=follow_with_checkpoints
        )

    return make
