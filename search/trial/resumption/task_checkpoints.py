"""The checkpoints of the trial that a task describes, and what its supervisor and its log are told of them."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path

import keras

from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.memory import PeakMemory
from tunefront.search.trial.messages import Message, TrialTask, receive_verdict, send
from tunefront.search.trial.resumption.identity import identity_of
from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints
from tunefront.search.trial.trainable import Trainable


def task_checkpoints(
    connection: Connection, task: TrialTask, spec: StudySpec, trainable: Trainable, peak: PeakMemory, began: float
) -> TrialCheckpoints:
    """Return a trial's checkpoints; if the task says from which epoch to go on, tell from which one it does.

    Args:
        trainable: The first training, as it was built.
        began: When this process began, on the monotonic clock.
    """

    def tell(header: CheckpointHeader, kind: str = "checkpoint") -> None:
        send(connection, Message(kind, {}, epoch={"epoch": header.epoch, "n_epochs": header.n_epochs}))

    def goes_on(header: CheckpointHeader) -> bool:
        tell(header, "turn")
        return receive_verdict(connection)

    def tell_problem(reason: str) -> None:
        send(connection, Message("checkpoint", {}, reason=reason))

    folder = Path(task.checkpoint_folder) if task.checkpoint_folder else None
    identity = identity_of(task, spec, versions_of_training())
    checkpoints = TrialCheckpoints(
        folder,
        identity,
        device=task.device,
        attempt=task.attempt,
        memory=peak.bytes,
        tell=tell,
        tell_problem=tell_problem,
        turns=task.turns,
        goes_on=goes_on,
        began=began,
    )
    checkpoints.resume(task.resume_from, trainable)
    if task.resume_from:
        epoch = checkpoints.resumed.epoch if checkpoints.resumed else 0
        text = f"goes on after epoch {epoch}" if epoch else "begins anew"
        sys.stderr.write(f"{text}: {checkpoints.reason}\n" if checkpoints.reason else f"{text}\n")
        send(connection, Message("resumed", {}, epoch={"epoch": epoch}, reason=checkpoints.reason))
    return checkpoints


def versions_of_training() -> dict[str, str]:
    """Return the versions of what trains here, by name."""
    backend = keras.backend.backend()
    found = str(importlib.import_module(backend).__version__)
    return {"keras": keras.__version__, "backend": f"{backend} {found}", "tunefront": version("tunefront")}
