"""Trial processes of fault tests that write real checkpoints: real processes, pipes and files, no Keras."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

import numpy as np

from tunefront.search.checkpoints.checkpoint_file import opened_checkpoint, write_checkpoint
from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.checkpoints.trial_folder import newest_whole, remove_older, remove_others
from tunefront.search.trial.messages import Message, TrialTask, send

EPOCHS = 6
CLOCK_SECONDS = 100.0  # what a process says that it ran for each epoch


@dataclass(frozen=True)
class StubTraining:
    """The behaviour of one trial.

    Attributes:
        stops_after: The epochs after which it hangs or dies, one for each attempt; later attempts go on to the end.
        how: What it does then.
        has_checkpoints: Whether it writes a checkpoint after each epoch.
        pause_seconds: The real seconds of each epoch.
        accuracies: The accuracy of each epoch.
        problem: Why no checkpoint can be written; empty if it can.
        may_resume: Whether it takes any checkpoint; else it begins anew whatever lies there.
    """

    stops_after: tuple[int, ...] = ()
    how: Literal["hang", "die", "crash"] = "hang"
    has_checkpoints: bool = True
    pause_seconds: float = 0.0
    accuracies: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    problem: str = ""
    may_resume: bool = True


def follow_with_checkpoints(
    connection: Connection, task: TrialTask, plan: Mapping[int, StubTraining], notes: str
) -> None:
    """Do what the plan says; note this process's number and each epoch that it trains in the folder `notes`."""
    attempt = len(list(Path(notes).glob(f"{task.number}-*.pid")))
    (Path(notes) / f"{task.number}-{os.getpid()}.pid").touch()
    stub = plan.get(task.number, StubTraining())
    folder = Path(task.checkpoint_folder)
    found = _resume(connection, task, stub)
    first, before, train_seconds = (
        (found.epoch + 1, found.seconds, _train_seconds(folder, found)) if found else (1, 0.0, 0.0)
    )
    lineage = _lineage(folder, found) if found else []  # whose process trained each epoch: the weights of a stub
    send(connection, Message("built", {"model_bytes": 1000.0, "weight_bytes": 400.0}))
    connection.recv_bytes()
    stop = stub.stops_after[attempt] if attempt < len(stub.stops_after) else 0
    for epoch in range(first, task.candidate.epochs + 1):
        time.sleep(stub.pause_seconds)
        with (Path(notes) / f"{task.number}.epochs").open("a") as file:
            file.write(f"{epoch} ")
        with (Path(notes) / f"{task.number}.rates").open("a") as file:
            file.write(f"{task.candidate.at(epoch).optimizer_settings['learning_rate']} ")
        lineage.append(task.number)
        train_seconds += 1.0 + epoch / 8  # another number each epoch, so that a wrong sum is seen
        told = {
            "epoch": epoch,
            "accuracy": stub.accuracies[epoch - 1],
            "train_seconds": 1.0 + epoch / 8,
            "validation_seconds": 0.25,
            "metrics": {"loss": 1 - epoch / 10},
        }
        send(connection, Message("epoch", {}, epoch=told))
        if epoch in task.rungs and connection.recv_bytes() != b"1":
            break
        if stub.problem and epoch == first:
            send(connection, Message("checkpoint", {}, reason=stub.problem))
        elif stub.has_checkpoints and not stub.problem:
            seconds = before + CLOCK_SECONDS * (epoch - first + 1)
            devices = (*(found.devices if found else ()), task.device)
            header = CheckpointHeader(
                epoch, epoch, {}, tuple(dict.fromkeys(devices)), seconds=seconds, attempt=task.attempt
            )
            state = {"train_seconds": train_seconds}
            write_checkpoint(folder, header, state, [("weights", np.array(lineage))])
            remove_older(folder)
            send(connection, Message("checkpoint", {}, epoch={"epoch": epoch, "n_epochs": epoch}))
            if epoch in task.turns:
                send(connection, Message("turn", {}, epoch={"epoch": epoch, "n_epochs": epoch}))
                if connection.recv_bytes() != b"1":
                    return
        if epoch == stop:
            _stop(stub.how)
    (Path(notes) / f"{task.number}.lineage").write_text(" ".join(map(str, lineage)))
    send(connection, Message("trained", {"train_seconds": train_seconds, "validation_seconds": 1.5}))
    if connection.recv_bytes() == b"1":
        Path(task.model_path).write_text(" ".join(map(str, lineage)))
        send(connection, Message("kept", {"latency_seconds": 0.001}))


def _resume(connection: Connection, task: TrialTask, stub: StubTraining) -> CheckpointHeader | None:
    found = None
    if task.resume_from:
        found = newest_whole(Path(task.checkpoint_folder), task.resume_from) if stub.may_resume else None
        epoch = found.epoch if found else 0
        reason = "" if epoch == task.resume_from else "a reason"
        send(connection, Message("resumed", {}, epoch={"epoch": epoch}, reason=reason))
    remove_others(Path(task.checkpoint_folder), found)
    return found


def _train_seconds(folder: Path, header: CheckpointHeader) -> float:
    with opened_checkpoint(folder, header) as content:
        return float(content.state["train_seconds"])


def _lineage(folder: Path, header: CheckpointHeader) -> list[int]:
    with opened_checkpoint(folder, header) as content:
        return [int(number) for number in content.array("weights")]


def _stop(how: str) -> None:
    if how == "die":
        time.sleep(0.2)  # the machine kills a process that waits, not one that is in the middle of a message
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(600)
