"""A study in a store, with the actions that many tests need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
import sqlalchemy as sa

from tests.storage.new_store import open_writer
from tunefront.objectives.measures import Direction
from tunefront.storage import queue, studies, trials
from tunefront.storage.attempts import Lease
from tunefront.storage.counts import Counts, count
from tunefront.storage.curves import Epoch
from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy, StudyRecord
from tunefront.storage.outcomes import Outcome
from tunefront.storage.trials import TrialRecord

DIRECTIONS: tuple[Direction, ...] = ("maximize", "minimize", "minimize")
METRICS = ("accuracy", "model_bytes", "train_seconds")
MEASUREMENTS = {"accuracy": 0.9, "model_bytes": 1000.0, "train_seconds": 2.5}
VALUES = (0.9, 1000.0, 2.5)
SPEC = {
    "name": "digits",
    "seed": 1,
    "trials": 4,
    "max_failures": 10,
    "max_refusals": 100,
    "objectives": {
        name: {"measure": measure} for name, measure in zip(("accuracy", "memory", "time"), METRICS, strict=True)
    },
    "data": {"source": "digits", "validation_fraction": 0.2, "test_fraction": 0.2},
    "space": {"optimizer": "adam"},
    "training": {"epochs": 3, "time_limit": 3600.0, "precision": "float32"},
    "sampler": {"name": "random"},
    "pruner": {"name": "none", "front_loss": 0.05, "min_epochs": 1},
}
DATASET = {
    "source": "digits",
    "fingerprint": "0123456789abcdef",
    "class_names": [str(digit) for digit in range(10)],
    "n_classes": 10,
    "image_shape": [8, 8, 1],
    "n_train": 1077,
    "n_validation": 360,
    "n_test": 360,
    "folder": None,
}


def epoch(number: int, accuracy: float = 0.5) -> Epoch:
    return Epoch(number, accuracy, 0.25, 0.125, {"loss": 1.5, "val_loss": 1.25})


def with_limits(fixture: StudyFixture, **limits: Mapping[str, float]) -> dict[str, Any]:
    """Return the study's spec with only these limits: axis -> ``at_least``, ``at_most``."""
    spec = dict(fixture.record.spec)
    tables = {axis: {"measure": table["measure"], **limits.get(axis, {})} for axis, table in spec["objectives"].items()}
    return {**spec, "objectives": tables}


@dataclass(frozen=True)
class StudyFixture:
    """One study in an open store, with the actions of a worker."""

    study: OpenStudy

    @property
    def store(self) -> Store:
        return self.study.store

    @property
    def record(self) -> StudyRecord:
        return self.study.record

    @classmethod
    def make(cls, url: str, name: str = "digits") -> StudyFixture:
        """Open the store at `url`, and make the study or find it there."""
        return cls.on(open_writer(url), name)

    @classmethod
    def on(cls, store: Store, name: str = "digits") -> StudyFixture:
        """Make the study in an open store, or find it there."""
        return cls(studies.create(store, name, {**SPEC, "name": name}, DATASET, DIRECTIONS, METRICS))

    def lease(
        self, worker: str = "anna", n_trials: int = 100, slot: str = "cpu0", **options: Any
    ) -> tuple[Lease, optuna.Trial]:
        leased = self.try_lease(worker, n_trials, slot, **options)
        assert leased is not None
        return leased

    def try_lease(
        self, worker: str, n_trials: int, slot: str = "cpu0", **options: Any
    ) -> tuple[Lease, optuna.Trial] | None:
        with self.store.exclusively():
            return queue.lease_next(self.study, n_trials, worker, slot, **options)

    def finish(
        self,
        leased: tuple[Lease, optuna.Trial],
        outcome: Outcome = Outcome.COMPLETE,
        *,
        violations: Sequence[float] = (),
        measurements: Mapping[str, float] = MEASUREMENTS,
        reason: str = "",
        model_path: str = "",
    ) -> bool:
        values = [measurements[name] for name in METRICS] if outcome is Outcome.COMPLETE else None
        return queue.finish(
            self.study,
            leased[0],
            outcome,
            values=values,
            violations=violations,
            measurements=measurements,
            reason=reason,
            model_path=model_path,
        )

    def sweep(self, *dead_workers: str) -> list[int]:
        return queue.sweep(self.study, dead_workers)

    def counts(self) -> Counts:
        return count(self.study)

    def trials(self) -> list[TrialRecord]:
        found = studies.find(self.store, self.study.name)
        assert found is not None
        return trials.load(found)

    def expire(self, worker: str) -> None:
        """Make the worker's leases expire, as if it had not renewed them for longer than they last."""
        with self.store.engine.begin() as connection:
            table = schema.leases
            connection.execute(table.update().where(table.c.worker_id == worker).values(expires_at=0.0))

    def seconds_to_expiry(self, number: int) -> float:
        table = schema.leases
        query = sa.select(table.c.expires_at - schema.database_now()).where(table.c.number == number)
        with self.store.engine.connect() as connection:
            return float(connection.execute(query).scalar_one())

    def trial_id(self, number: int) -> int:
        return self.store.optuna.get_trial_id_from_study_id_trial_number(self.record.study_id, number)
