"""Trials in children of a fork server, which go on with everything, and what they told."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.candidates import candidate
from tests.search.models.model_arrays import model_arrays
from tests.small_backbone import small_backbone
from tunefront.search.data.cache import prepare
from tunefront.search.launching.fork_server import Child, Launcher
from tunefront.search.launching.slots import Slot
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.messages import Message, TrialTask, answer, receive
from tunefront.search.trial.process import run_trial
from tunefront.spaces.candidate import Candidate

_ANSWERED = ("built", "trained", "turn")


@dataclass(frozen=True)
class Told:
    """What a trial told, and what it left.

    Attributes:
        model: Name in the model's file -> digest of the array.
        log: What it wrote on standard error.
    """

    messages: tuple[Message, ...]
    model: Mapping[str, str]
    log: str

    def of(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message.kind == kind]

    @property
    def measurements(self) -> dict[str, float]:
        return {name: value for message in self.messages for name, value in message.measurements.items()}

    @property
    def epochs(self) -> list[tuple[int, float, dict[str, float]]]:
        """Each epoch's number, score and metrics, without its times."""
        found = [message.epoch or {} for message in self.of("epoch")]
        return [(epoch["epoch"], epoch["accuracy"], epoch["metrics"]) for epoch in found]


def frozen(weights: Path, architecture: str = "MobileNet", **settings: Any) -> Candidate:
    """Return a candidate with a frozen backbone, of few small steps."""
    own = {"weights": str(weights), "dropout": 0.3, "freeze_fraction": 0.8, **settings.pop("own", {})}
    if architecture.startswith("MobileNet"):
        own = {"width": 0.25 if architecture == "MobileNet" else 0.35, **own}
    defaults = {"image_size": 32, "batch_size": 64, "steps_per_epoch": 3}
    return candidate(architecture=architecture, architecture_settings=own, **{**defaults, **settings})


def spec_of(training: Mapping[str, Any], data: Mapping[str, Any] | None = None, **more: Any) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "frozen",
            "data": {"source": "digits", "classes": ["0", "1", "2"], **(data or {})},
            "training": training,
        }
        | more
    )


N_IMAGES = 178 + 182 + 177  # of the digits 0, 1 and 2


def task_of(spec: StudySpec, chosen: Candidate, folder: Path) -> TrialTask:
    folder.mkdir(parents=True, exist_ok=True)
    return TrialTask(
        number=3,
        spec=spec.as_json(),
        candidate=chosen,
        dataset=prepare(spec.data, spec.seed, are_images=True),
        slot=Slot("cpu0", 1),
        seed=7,
        rungs=(),
        model_path=str(folder / "model.keras"),
        measures_latency=False,
        device="this CPU",
    )


def plainly(task: TrialTask) -> TrialTask:
    """Return the same task without stored features, with a folder of its own for its model."""
    training = {**task.spec["training"], "feature_cache": 0.0}
    path = Path(task.model_path).with_name("plain.keras")
    return replace(task, spec={**task.spec, "training": training}, model_path=str(path))


def run_small_trial(connection: Connection, task: TrialTask) -> None:
    """Train a candidate whose MobileNet is a network of five layers; write a checkpoint after every epoch."""
    import keras

    from tunefront.search.trial.resumption import write_times

    write_times._WRITES_APART, write_times._LEAST_SECONDS = 0, 0
    keras.applications.MobileNet = small_backbone
    run_trial(connection, task)


def train(
    launcher: Launcher,
    task: TrialTask,
    copies: Path | None = None,
    run: Callable[[Connection, TrialTask], None] = run_trial,
) -> Told:
    """Run a trial to its end.

    Args:
        copies: Where its checkpoints are copied to, each below its number.
        run: What its process runs.
    """
    log = Path(task.model_path).with_suffix(".log")
    return told_by(launcher.start(run, task, log), task, log, copies)


def told_by(child: Child, task: TrialTask, log: Path, copies: Path | None = None) -> Told:
    """Let a trial that was started go on to its end, and return what it told."""
    messages: list[Message] = []
    while not messages or messages[-1].kind not in ("kept", "failed"):
        messages.append(receive(child.connection))
        last = messages[-1]
        if last.kind == "checkpoint" and copies is not None and last.epoch:
            shutil.copytree(task.checkpoint_folder, copies / str(last.epoch["n_epochs"]))
        if last.kind in _ANSWERED:
            answer(child.connection, go_on=True)
    child.reap()
    assert messages[-1].kind == "kept", messages[-1].reason + log.read_text()
    return Told(tuple(messages), model_arrays(Path(task.model_path)), log.read_text())
