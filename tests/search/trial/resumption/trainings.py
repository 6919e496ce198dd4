"""Whole trials in a process of their own: undisturbed with checkpoints and some without, or going on from one.

``python -m tests.search.trial.resumption.trainings undisturbed|resumed FOLDER``
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from tests.candidates import candidate
from tests.example_data import write_students
from tests.search.models.model_arrays import model_arrays
from tests.small_backbone import small_backbone
from tunefront.search.checkpoints.trial_folder import newest_whole
from tunefront.search.data.cache import prepare
from tunefront.search.launching.slots import Slot
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.messages import TrialTask
from tunefront.spaces.candidate import Candidate

DIGITS = {"source": "digits"}
STUDENTS = {"source": "columns", "path": "students.csv", "missing": "fill"}
MLP = {"architecture": "mlp", "batch_size": 32}
MLP_SETTINGS = {"n_layers": 1, "units": 8, "batch_norm": True, "dropout": 0.3}
MIXED = candidate(
    augmentation="custom",
    augmentation_settings={"mixup": 0.4, "cutmix": 1.0},
    label_smoothing=0.1,
    l2=1e-4,
    batch_size=250,
)


@dataclass(frozen=True)
class Case:
    """A candidate, its study, and the epochs, over all folds, after which its training is cut."""

    candidate: Candidate
    cuts: tuple[int, ...]
    training: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=lambda: DIGITS)
    table: Mapping[str, Any] = field(default_factory=dict)

    def spec(self, folder: Path) -> StudySpec:
        data = dict(self.data)
        if "path" in data:
            data["path"] = str(folder / data["path"])
        return StudySpec.model_validate({"name": "cut", "data": data, "training": self.training, **self.table})


CASES: Mapping[str, Case] = {
    "momentum": Case(
        candidate(
            optimizer="sgd",
            optimizer_settings={"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3},
            architecture_settings={"batch_norm": True},
            batch_size=250,
        ),
        (2,),
        {"epochs": 4, "keep_weights": "last"},
    ),
    "cosine, dropout, augmentation": Case(
        candidate(
            schedule="cosine",
            schedule_settings={"warm_up_epochs": 1.5, "minimum": 0.01},
            architecture_settings={"dense_units": 16, "dropout": 0.4},
            augmentation="custom",
            augmentation_settings={"shift": 0.1, "rotation": 10.0, "noise": 0.05},
            batch_size=250,
        ),
        (2,),
        {"epochs": 4},
    ),
    "plateau, early stopping, class weights, steps": Case(
        candidate(
            optimizer_settings={"learning_rate": 0.3},
            schedule="reduce_on_plateau",
            schedule_settings={"factor": 0.5, "patience": 2, "cooldown": 2, "minimum": 0.0, "monitor": "val_accuracy"},
            class_weights="balanced",
            steps_per_epoch=3,
            batch_size=120,
        ),
        (4, 5),  # one of two epochs waited for; two of cooldown left
        {
            "epochs": 20,
            "keep_weights": "val_loss",
            "validation_steps": 3,
            "early_stopping": {"monitor": "loss", "patience": 4, "min_delta": 0.001},
        },
    ),
    "mixing, settings that change": Case(
        replace(MIXED, later=((3, replace(MIXED, optimizer_settings={"learning_rate": 0.002}, l2=1e-3)),)),
        (2, 3),  # where they change, and after
        {"epochs": 4},
    ),
    "head first": Case(
        candidate(
            architecture="MobileNet",
            architecture_settings={
                "width": 0.25,
                "weights": "none",
                "freeze_fraction": 0.5,
                "head_epochs": 2,
                "fine_tuning_rate": 0.5,
                "dropout": 0.3,
            },
            optimizer="rmsprop",
            image_size=32,
            batch_size=512,
        ),
        (1, 2, 3),
        {"epochs": 4},
    ),
    "folds of columns": Case(
        candidate(**MLP, architecture_settings=MLP_SETTINGS),
        (5,),  # in the third fold: the first is restored, the second is not built again, the fourth is yet to come
        {"epochs": 2, "keep_weights": "best"},
        {**STUDENTS, "target": "result", "folds": 4},
    ),
    "numbers, 16 bits": Case(
        candidate(
            **MLP, architecture_settings=MLP_SETTINGS, optimizer="adamw", optimizer_settings={
                "learning_rate": 0.01, "weight_decay": 0.01}
        ).for_task("regression"),
        (2,),
        {"epochs": 4, "precision": "mixed_float16"},
        {**STUDENTS, "target": "grade_1", "task": "regression"},
        {"objectives": {"accuracy": "rmse"}},
    ),
}  # fmt: skip

WITHOUT = ("cosine, dropout, augmentation", "folds of columns")  # are trained without checkpoints too


class Supervisor:
    """The other end of a trial's connection in the trial's own process: it goes on with everything and notes it.

    Args:
        copies: Where the checkpoints are copied to as they are written; None for nowhere.
        answer: What every message is answered.
    """

    def __init__(self, folder: Path, copies: Path | None = None, answer: bytes = b"1") -> None:
        self.messages: list[dict[str, Any]] = []
        self._folder = folder
        self._copies = copies
        self._answer = answer

    def send_bytes(self, data: bytes) -> None:
        message = json.loads(data)
        self.messages.append(message)
        if message["kind"] == "checkpoint" and self._copies is not None:
            shutil.copytree(self._folder, self._copies / str(message["epoch"]["n_epochs"]))

    def recv_bytes(self) -> bytes:
        return self._answer


def task_of(case: Case, folder: Path, checkpoints: Path | None, resume_from: int = 0) -> TrialTask:
    spec = case.spec(folder.parent)
    return TrialTask(
        number=3,
        spec=spec.as_json(),
        candidate=case.candidate,
        dataset=prepare(spec.data, spec.seed),
        slot=Slot("cpu0", 1),
        seed=7,
        rungs=(),
        model_path=str(folder / "model.keras"),
        measures_latency=False,
        checkpoint_folder=str(checkpoints or ""),
        resume_from=resume_from,
        device="this CPU",
    )


def train(task: TrialTask, supervisor: Supervisor) -> dict[str, Any]:
    """Run a trial and return what it told, with the digests of all arrays of its model's file and its checkpoint."""
    import keras

    from tunefront.search.trial.process import run_trial

    keras.utils.clear_session()
    path = Path(task.model_path)
    path.unlink(missing_ok=True)
    run_trial(cast(Any, supervisor), task)
    folder = Path(task.checkpoint_folder)
    newest = newest_whole(folder) if task.checkpoint_folder else None
    return {
        "messages": supervisor.messages,
        "model": model_arrays(path) if path.exists() else {},
        "checkpoint": dict(_arrays_of_checkpoint(folder / newest.file_name)) if newest else {},
        "n_epochs": newest.n_epochs if newest else 0,
    }


def _arrays_of_checkpoint(path: Path) -> Iterator[tuple[str, str]]:
    with np.load(path, allow_pickle=False) as loaded:
        for name in loaded.files:
            if not name.endswith(".json"):
                yield name, hashlib.sha256(loaded[name].tobytes()).hexdigest()


def undisturbed(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, case in CASES.items():
        checkpoints = folder / "checkpoints" / name
        yield name, train(task_of(case, folder, checkpoints), Supervisor(checkpoints, folder / "copies" / name))
    for name in WITHOUT:
        yield f"{name}, without checkpoints", train(task_of(CASES[name], folder, None), Supervisor(folder))


def resumed(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, case in CASES.items():
        for cut in case.cuts:
            yield f"{name} {cut}", _resume(folder, name, cut)
    yield "torn", _resume(folder, "momentum", 2, tears=True)
    for change in ({"seed": 8}, {"candidate": replace(CASES["momentum"].candidate, l2=0.5)}):
        name = next(iter(change))
        yield name, _resume(folder, "momentum", 2, change)


def _resume(
    folder: Path, name: str, cut: int, change: Mapping[str, Any] | None = None, *, tears: bool = False
) -> dict[str, Any]:
    """Go on from a checkpoint; a trial that was changed is told to end before it trains."""
    checkpoints = folder / "again"
    shutil.rmtree(checkpoints, ignore_errors=True)
    shutil.copytree(folder.parent / "undisturbed" / "copies" / name / str(cut), checkpoints)
    newest = newest_whole(checkpoints)
    assert newest is not None
    if tears:
        content = (checkpoints / newest.file_name).read_bytes()
        (checkpoints / newest.file_name).write_bytes(content[: len(content) // 2])
    task = task_of(CASES[name], folder, checkpoints, newest.epoch)
    supervisor = Supervisor(checkpoints, answer=b"0" if change else b"1")
    return train(replace(task, **(change or {})), supervisor)


def prepare_data(folder: Path) -> None:
    """Write the files and prepare the data that all processes share."""
    write_students(folder / "students.csv", 120)
    for case in CASES.values():
        spec = case.spec(folder)
        prepare(spec.data, spec.seed)


def main(arguments: Sequence[str]) -> None:
    import keras

    from tunefront.search.trial.resumption import write_times

    mode, folder = arguments[0], Path(arguments[1])
    write_times._WRITES_APART, write_times._LEAST_SECONDS = 0, 0  # epochs of these networks take milliseconds
    keras.applications.MobileNet = small_backbone
    own = folder / mode
    own.mkdir()
    results = dict({"undisturbed": undisturbed, "resumed": resumed}[mode](own))
    (folder / f"{mode}.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1:])
