"""A study in a real SQLite store, filled trial by trial through the store's own functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna

from tests.storage.new_store import open_writer
from tunefront.objectives.limits import read_objectives, violations
from tunefront.objectives.measures import AXES, MEASURES, Axis
from tunefront.reports.study_results import StudyResults, load_results
from tunefront.storage import constraints, curves, queue, studies
from tunefront.storage.answers import Answers
from tunefront.storage.attempts import Lease
from tunefront.storage.curves import Epoch
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy, StudyRecord
from tunefront.storage.outcomes import Outcome

MACHINE: dict[str, Any] = {
    "host_name": "anna",
    "cpu": "AMD EPYC",
    "n_cpus": 2,
    "memory_bytes": 25_000_000_000,
    "gpus": [],
    "os": "Linux 6.1",
    "python": "3.11.7",
    "keras": "3.15.1",
    "backend": "tensorflow",
    "backend_version": "2.21.0",
    "optuna": "5.0.0",
    "tunefront": "0.1.0",
    "precision": "float32",
    "slots": ["cpu0", "cpu1"],
    "threads_per_slot": 1,
    "process_started_at": 1_700_000_000.25,
}
DATASET: dict[str, Any] = {
    "source": "digits",
    "n_classes": 3,
    "class_names": ["0", "1", "<script>alert('class')</script>"],
    "image_shape": [8, 8, 1],
    "n_train": 1149,
    "n_validation": 288,
    "n_test": 360,
    "something_new": {"of a later version": True},
}
MEASURE_NAMES: dict[Axis, str] = {"accuracy": "accuracy", "memory": "model_bytes", "time": "train_seconds"}
THREE: dict[Axis, dict[str, Any]] = {axis: {"measure": name} for axis, name in MEASURE_NAMES.items()}
_CHOICES = ("adam", "sgd", "a|b", "<b>bold</b>", "</script><script>alert(1)</script>", "[red]none")


@dataclass(frozen=True)
class ReportFixture:
    """One study in an open store, to which trials are added as a supervisor adds them."""

    study: OpenStudy

    @property
    def store(self) -> Store:
        return self.study.store

    @property
    def record(self) -> StudyRecord:
        return self.study.record

    @classmethod
    def make(
        cls,
        folder: Path,
        objectives: Mapping[Axis, Mapping[str, Any]] = THREE,
        n_trials: int = 4,
        name: str = "digits",
        dataset: Mapping[str, Any] = DATASET,
    ) -> ReportFixture:
        store = open_writer(f"sqlite:///{folder / 'tunefront.db'}")
        spec = {
            "name": name,
            "seed": 7,
            "trials": n_trials,
            "objectives": objectives,
            "training": {"epochs": 3},
            "note": "</pre><script>alert('spec')</script>",
        }
        measures = [MEASURES[objectives[axis]["measure"]] for axis in AXES if axis in objectives]
        directions = [measure.direction for measure in measures]
        study = studies.create(store, name, spec, dataset, directions, [measure.name for measure in measures])
        studies.register_worker(study, f"{name}-1", "boot", 1, MACHINE)
        return cls(study)

    def lease(self, parameters: Mapping[str, Any] | None = None, *, is_new: bool = True) -> tuple[Lease, optuna.Trial]:
        """Start a trial with these parameters (texts are of `_CHOICES`), or one that is waiting already."""
        if is_new:
            self.study.optuna.enqueue_trial(dict(parameters or {}))
        with self.store.exclusively():
            leased = queue.lease_next(self.study, 10_000, f"{self.record.name}-1", "cpu0")
        assert leased is not None
        for name, value in (parameters or {}).items():
            assert _suggest(leased[1], name, value) == value
        return leased

    def end(
        self,
        leased: tuple[Lease, optuna.Trial],
        outcome: Outcome,
        measurements: Mapping[str, float] | None = None,
        *,
        curve: Sequence[float] = (),
        reason: str = "",
        model_path: str = "",
        answers: Mapping[str, Answers] | None = None,
    ) -> int:
        """End a trial with its accuracy by epoch, and return its number."""
        lease = leased[0]
        measurements = measurements or {}
        for number, accuracy in enumerate(curve, start=1):
            curves.append(self.store, lease, Epoch(number, accuracy, 0.5, 0.1, {"val_loss": 1.0}))
        objectives = self.record.spec["objectives"]
        limits = list(read_objectives(self.record.spec).values())
        values = [measurements.get(objectives[axis]["measure"]) for axis in AXES if axis in objectives]
        assert queue.finish(
            self.study,
            lease,
            outcome,
            values=values if outcome is Outcome.COMPLETE else None,  # type: ignore[arg-type]
            violations=constraints.as_list(limits, violations(limits, measurements)),
            measurements=measurements,
            answers=answers,
            reason=reason,
            model_path=model_path,
        )
        return lease.number

    def complete(self, accuracy: float, memory: float, seconds: float, **more: Any) -> int:
        """Add a complete trial of three epochs; `more` are parameters under their group, and arguments of `end`.

        In a study of predicted numbers, `accuracy` is the score by its measure.
        """
        name = self.record.spec["objectives"].get("accuracy", {}).get("measure", "accuracy")
        parameters = more.pop("parameters", {"optimizer.name": "adam", "adam.learning_rate": 0.01})
        measurements = {
            name if MEASURES[name].task == "regression" else "accuracy": accuracy,
            "model_bytes": memory,
            "train_seconds": seconds,
            **more.pop("measurements", {}),
        }
        curve = more.pop("curve", (accuracy / 2, accuracy, accuracy - 0.01))
        leased = self.lease(parameters, is_new=more.pop("is_new", True))
        return self.end(leased, Outcome.COMPLETE, measurements, curve=curve, **more)

    def results(self) -> StudyResults:
        """Read the study afresh."""
        found = studies.find(self.store, self.study.name)
        assert found is not None
        return load_results(found)


def _suggest(trial: optuna.Trial, name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return trial.suggest_categorical(name, [False, True])
    if isinstance(value, str):
        return trial.suggest_categorical(name, _CHOICES)
    if isinstance(value, int):
        return trial.suggest_int(name, 0, 10_000)
    return trial.suggest_float(name, 0.0, 10.0)
