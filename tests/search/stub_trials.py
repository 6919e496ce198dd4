"""The trial processes of fault tests: real processes and pipes, no Keras.

A plan says what each trial does by its number; a trial that is not in it succeeds.
"""

from __future__ import annotations

import math
import os
import signal
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tunefront.search.launching.fork_server import next_task
from tunefront.search.trial.messages import Message, TrialTask, send

EPOCHS = 3


@dataclass(frozen=True)
class StubTrial:
    """The behaviour of one trial.

    Attributes:
        behaviour: A name in BEHAVIOURS.
        accuracies: The accuracy of each epoch, of which it trains as many as its candidate has.
        train_seconds: The reported seconds of each epoch, which it does not really take.
        pause_seconds: The real seconds of each epoch.
    """

    behaviour: str = "succeed"
    accuracies: tuple[float, ...] = (0.5, 0.6, 0.7)
    model_bytes: float = 1000.0
    train_seconds: float = 1.0
    pause_seconds: float = 0.0


Plan = Mapping[int, StubTrial]


def follow(connection: Connection, task: TrialTask, plan: Plan, notes: str) -> None:
    """Do what the plan says; note this process's number in the folder `notes`. Where they may, other tasks follow."""
    while True:
        (Path(notes) / f"{task.number}-{os.getpid()}.pid").touch()
        print(f"trial {task.number} prints")
        stub = plan.get(task.number, StubTrial())
        BEHAVIOURS[stub.behaviour](connection, task, stub)
        if not task.may_be_followed:
            return
        try:
            task = next_task(connection)
        except EOFError:
            return


def _build(connection: Connection, stub: StubTrial) -> bool:
    send(connection, Message("built", {"model_bytes": stub.model_bytes, "weight_bytes": stub.model_bytes / 3}))
    return connection.recv_bytes() == b"1"


def _train(connection: Connection, task: TrialTask, stub: StubTrial) -> bool:
    """Send all epochs; return the answer whether the model shall be kept."""
    n_epochs = 0
    for accuracy in stub.accuracies[: task.candidate.epochs]:
        time.sleep(stub.pause_seconds)
        n_epochs += 1
        epoch = {
            "epoch": n_epochs,
            "accuracy": accuracy,
            "train_seconds": stub.train_seconds,
            "validation_seconds": 0.25,
            "metrics": {"loss": 1 - accuracy},
        }
        send(connection, Message("epoch", {}, epoch=epoch))
        if n_epochs in task.rungs and connection.recv_bytes() != b"1":
            break
    measured = {"train_seconds": n_epochs * stub.train_seconds, "validation_seconds": n_epochs * 0.25}
    answers = {"test": {"labels": [0, 1], "chosen": [0, task.number % 2]}} if task.spec["confirms"] else {}
    send(connection, Message("trained", measured, answers=answers, takes_next=task.may_be_followed))
    return connection.recv_bytes() == b"1"


def succeed(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    if _build(connection, stub) and _train(connection, task, stub):
        Path(task.model_path).write_text(f"model of trial {task.number}")
        send(connection, Message("kept", {"latency_seconds": 0.001}))


def crash_by(signal_number: int) -> Callable[[Connection, TrialTask, StubTrial], None]:
    """Return a behaviour: train an epoch, then die by that signal."""

    def crash(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
        _build(connection, stub)
        _epoch(connection, stub)
        os.kill(os.getpid(), signal_number)

    return crash


def _epoch(connection: Connection, stub: StubTrial) -> None:
    epoch = {"epoch": 1, "accuracy": 0.1, "train_seconds": 1.0, "validation_seconds": 0.1, "metrics": {}}
    send(connection, Message("epoch", {}, epoch=epoch))


def exit_silently(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    os._exit(3)


def raise_error(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    raise RuntimeError("a bug in the trial process itself")


def fail(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    _build(connection, stub)
    send(connection, Message("failed", {}, reason="out of memory: 3 GB were not to be had"))


def fail_and_hang(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    fail(connection, task, stub)
    time.sleep(600)


def hang(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    _build(connection, stub)
    _epoch(connection, stub)
    time.sleep(600)


def hang_at_once(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    time.sleep(600)


def hang_once(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    """Hang in the first attempt, succeed in the next."""
    marker = Path(task.model_path).with_suffix(".hung")
    if marker.exists():
        succeed(connection, task, stub)
    else:
        marker.touch()
        hang(connection, task, stub)


def hang_after_training(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    """Do not end when the model is not wanted."""
    _build(connection, stub)
    _train(connection, task, stub)
    time.sleep(600)


def hang_while_saving(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    _build(connection, stub)
    _train(connection, task, stub)
    Path(task.model_path).write_text("half a mod")
    time.sleep(600)


def die_while_saving(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    _build(connection, stub)
    _train(connection, task, stub)
    Path(task.model_path).write_text("half a mod")
    os.kill(os.getpid(), signal.SIGKILL)


def fail_while_saving(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    """Fail while saving the model, as if the disk were full."""
    _build(connection, stub)
    _train(connection, task, stub)
    Path(task.model_path).write_text("half a mod")
    send(connection, Message("failed", {}, reason="OSError: no space left on device"))


def send_bytes_that_are_no_message(content: bytes) -> Callable[[Connection, TrialTask, StubTrial], None]:
    """Return a behaviour: send this instead of an epoch, then wait for an answer."""

    def send_it(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
        _build(connection, stub)
        connection.send_bytes(content)
        connection.recv_bytes()

    return send_it


def measure(number: float, where: str) -> Callable[[Connection, TrialTask, StubTrial], None]:
    """Return a behaviour: succeed, but with one bad `number` in an epoch, a measurement, or after the model is kept."""

    def measure_it(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
        _build(connection, stub)
        seconds = {"train_seconds": 1.0, "validation_seconds": 0.25}
        epoch = {"epoch": 1, "accuracy": 0.9, **seconds, "metrics": {"loss": 0.1}}
        changed = {"accuracy": {"accuracy": number}, "metrics": {"metrics": {"val_loss": number}}}.get(where, {})
        send(connection, Message("epoch", {}, epoch=epoch | changed))
        send(connection, Message("trained", {**seconds, **({"train_seconds": number} if where == "trained" else {})}))
        if connection.recv_bytes() == b"1":
            send(connection, Message("kept", {"latency_seconds": number}))

    return measure_it


def send_broken_answers(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    _build(connection, stub)
    for number in range(1, EPOCHS + 1):
        epoch = {"epoch": number, "accuracy": 0.1, "train_seconds": 1.0, "validation_seconds": 0.1, "metrics": {}}
        send(connection, Message("epoch", {}, epoch=epoch))
        if number in task.rungs:
            connection.recv_bytes()
    send(connection, Message("trained", {"train_seconds": 1.0}, answers={"test": {"colours": [1]}}))
    connection.recv_bytes()


def die_in_a_message(connection: Connection, task: TrialTask, stub: StubTrial) -> None:
    """Die in the middle of a long message: its head says 1000 bytes, and 10 come."""
    _build(connection, stub)
    os.write(connection.fileno(), struct.pack("!i", 1000) + b'{"kind": "')
    os.kill(os.getpid(), signal.SIGKILL)


BEHAVIOURS: Mapping[str, Callable[[Connection, TrialTask, StubTrial], None]] = {
    "succeed": succeed,
    "crash by SIGSEGV": crash_by(signal.SIGSEGV),
    "crash by SIGKILL": crash_by(signal.SIGKILL),
    "exit silently": exit_silently,
    "raise an error": raise_error,
    "fail": fail,
    "fail and hang": fail_and_hang,
    "hang": hang,
    "hang at once": hang_at_once,
    "hang once": hang_once,
    "hang after training": hang_after_training,
    "hang while saving": hang_while_saving,
    "die while saving": die_while_saving,
    "fail while saving": fail_while_saving,
    "send bytes": send_bytes_that_are_no_message(b"\xff\x00\xfe"),
    "send text": send_bytes_that_are_no_message(b"no JSON"),
    "send a list": send_bytes_that_are_no_message(b"[1, 2]"),
    "send an unknown field": send_bytes_that_are_no_message(b'{"kind": "epoch", "measurements": {}, "colour": 1}'),
    "send an unknown kind": send_bytes_that_are_no_message(b'{"kind": "sung", "measurements": {}}'),
    "send an epoch without content": send_bytes_that_are_no_message(b'{"kind": "epoch", "measurements": {}}'),
    "send an epoch of other fields": send_bytes_that_are_no_message(
        b'{"kind": "epoch", "measurements": {}, "epoch": {"number": 1}}'
    ),
    "send trained without epochs": send_bytes_that_are_no_message(b'{"kind": "trained", "measurements": {}}'),
    "send answers that are a list": send_bytes_that_are_no_message(
        b'{"kind": "trained", "measurements": {}, "answers": [1]}'
    ),
    "send answers of other fields": send_broken_answers,
    "die in a message": die_in_a_message,
    "send text as a number": send_bytes_that_are_no_message(
        b'{"kind": "trained", "measurements": {"train_seconds": "1 s"}}'
    ),
    **{
        f"measure {number} in {where}": measure(number, where)
        for number in (math.nan, math.inf, -math.inf, 10**400)
        for where in ("accuracy", "metrics", "trained", "kept")
    },
}
