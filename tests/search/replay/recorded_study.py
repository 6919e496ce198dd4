"""A study that records, and what its trainings reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna

from tests.search.recorded import spec
from tests.storage.study_fixture import DATASET, DIRECTIONS, METRICS, epoch
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage import curves, queue, studies
from tunefront.storage.database.connection import open_store
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome


def make_study(folder: Path) -> OpenStudy:
    store = open_store(f"sqlite:///{folder / 'tunefront.db'}", is_writer=True)
    made = spec(3, max_failures=10)
    return studies.create(store, made.name, made.as_json(), DATASET, DIRECTIONS, METRICS)


def train_all(
    study: OpenStudy,
    outcomes: list[Outcome],
    suggest: Callable[[optuna.Trial], Any] | None = None,
) -> None:
    """Run what is queued: trial n reaches 0.n, 0.n1 and 0.n2."""
    suggest = suggest or StudySpec.from_json(study.record.spec).parsed_space().suggest
    for number, outcome in enumerate(outcomes):
        with study.store.exclusively():
            leased = queue.lease_next(study, 100, "anna", "cpu0")
        assert leased is not None
        lease, trial = leased
        suggest(trial)
        for index in range(3):
            validated = epoch(index + 1, number / 10 + index / 100)
            curves.append(study.store, lease, replace(validated, metrics={"accuracy": 0.5 + index / 10, "loss": 1.0}))
        measurements = {"accuracy": number / 10 + 0.02, "model_bytes": 1000.0 + number, "train_seconds": 0.75}
        values = list(measurements.values()) if outcome is Outcome.COMPLETE else None
        queue.finish(study, lease, outcome, values=values, measurements=measurements)
