"""Seeds of a candidate, each trained alone, and one after another as a confirmation's process trains them.

``python -m tests.search.trial.seeds.trainings FOLDER``
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from tests.candidates import candidate
from tests.example_data import write_students
from tests.search.models.model_arrays import model_arrays
from tests.search.trial.resumption.trainings import MLP, MLP_SETTINGS, STUDENTS, Case, Supervisor, task_of
from tunefront.search.trial.messages import TrialTask

SEEDS = (7, 11)

CASES: Mapping[str, Case] = {
    "plateau, early stopping, augmentation": Case(
        candidate(
            optimizer_settings={"learning_rate": 0.1},
            architecture_settings={"batch_norm": True, "dense_units": 16, "dropout": 0.4},
            augmentation="custom",
            augmentation_settings={"rotation": 10.0, "noise": 0.05, "mixup": 0.4},
            schedule="reduce_on_plateau",
            schedule_settings={"factor": 0.5, "patience": 1, "cooldown": 0, "minimum": 0.0, "monitor": "val_accuracy"},
            steps_per_epoch=3,
            batch_size=60,
        ),
        (),
        {"epochs": 30, "early_stopping": {"monitor": "loss", "patience": 2, "min_delta": 0.5}},
    ),
    "momentum, 16 bits": Case(
        candidate(
            optimizer="sgd",
            optimizer_settings={"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3},
            architecture_settings={"batch_norm": True, "dropout": 0.3},
            l2=1e-4,
            batch_size=250,
        ),
        (),
        {"epochs": 3, "precision": "mixed_float16"},
    ),
    "numbers of columns": Case(
        candidate(**MLP, architecture_settings=MLP_SETTINGS, optimizer="adamw").for_task("regression"),
        (),
        {"epochs": 3},
        {**STUDENTS, "target": "grade_1", "task": "regression"},
        {"objectives": {"accuracy": "rmse"}},
    ),
}


class Confirmation(Supervisor):
    """The other end of the connection of a process that is sent further tasks."""

    def __init__(self, folder: Path, following: Sequence[TrialTask] = ()) -> None:
        super().__init__(folder)
        self._following = list(following)

    def recv(self) -> tuple[TrialTask, str]:
        if not self._following:
            raise EOFError
        task = self._following.pop(0)
        return task, f"{task.model_path}.log"


def tasks_of(case: Case, folder: Path) -> list[TrialTask]:
    task = replace(task_of(case, folder, None), may_be_followed=True, measures_latency=True)
    return [replace(task, seed=seed, model_path=str(folder / f"{seed}.keras")) for seed in SEEDS]


def train(tasks: Sequence[TrialTask], folder: Path) -> dict[str, Any]:
    """Run these trials in one process; return what it told, and digests of each model's arrays and structure."""
    import keras

    from tunefront.search.trial.process import run_trial

    keras.utils.clear_session()
    supervisor = Confirmation(folder, tasks[1:])
    run_trial(cast(Any, supervisor), tasks[0])
    messages = supervisor.messages
    ends = [place for place, message in enumerate(messages, 1) if message["kind"] == "kept"]
    paths = [Path(task.model_path) for task in tasks]
    return {
        str(task.seed): {"messages": messages[begin:end], "model": model_arrays(path), "structure": structure(path)}
        for task, path, begin, end in zip(tasks, paths, [0, *ends], ends, strict=False)
    }


def structure(path: Path) -> str:
    """Return a digest of the structure in a model's file, without what is a place in memory there."""
    with zipfile.ZipFile(path) as file:
        content = json.loads(file.read("config.json"), object_hook=_without_places)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _without_places(table: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != "shared_object_id"}


def trained(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, case in CASES.items():
        for how in ("alone", "in turn"):
            own = folder / f"{name} {how}"
            own.mkdir()
            first, second = tasks_of(case, own)
            yield f"{name}, {how}", train([second] if how == "alone" else [first, second], own)


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0])
    write_students(folder / "students.csv", 240)
    (folder / "trained.json").write_text(json.dumps(dict(trained(folder))))


if __name__ == "__main__":
    main(sys.argv[1:])
