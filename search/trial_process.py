"""The child that trains one candidate, and the messages between it and its supervisor.

It never touches the store. Messages are JSON, one object each, and every one of the child's but the
last is answered where the child must wait. Keras is imported inside the functions: the supervisor,
which imports this file for its messages, must stay light.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any

from search.data.dataset import Dataset
from search.slots import Slot
from spaces import Candidate


@dataclass(frozen=True)
class TrialTask:
    """Everything a trial process needs.

    Attributes:
        spec: The StudySpec as JSON data.
        seed: Of this trial: weights, order of batches, augmentation.
        rungs: Epochs after which the child waits for a verdict.
        model_path: Where the model goes if it is to be kept.
        measures_latency: Whether latency is an objective, and so measured for every trial.
    """

    number: int
    spec: Mapping[str, Any]
    candidate: Candidate
    dataset: Dataset
    slot: Slot
    seed: int
    rungs: tuple[int, ...]
    model_path: str
    measures_latency: bool


@dataclass(frozen=True)
class Message:
    """From child to supervisor.

    Attributes:
        kind: ``built`` (answered), ``epoch`` (answered at rungs), ``trained`` (answered), ``kept``,
            ``failed``.
        measurements: Name with unit -> value, what is known by then.
        epoch: Of ``epoch``: fields of :class:`storage.Epoch`.
        reason: Of ``failed``.
    """

    kind: str
    measurements: Mapping[str, float]
    epoch: Mapping[str, Any] | None = None
    reason: str = ""


def send(connection: Connection, message: Message) -> None:
    """Write one message."""
    connection.send_bytes(json.dumps(asdict(message)).encode())


class BrokenMessageError(Exception):
    """A trial process sent what is no message of ours."""


def receive(connection: Connection) -> Message:
    """Read one message.

    Raises:
        EOFError, OSError: If the child is gone, maybe half-way through a message.
        BrokenMessageError: If it is no message.
    """
    data = connection.recv_bytes()
    try:
        message = Message(**json.loads(data))
    except (TypeError, ValueError) as error:
        raise BrokenMessageError(_first_line(error)) from error
    if not isinstance(message.measurements, dict) or not isinstance(message.epoch, dict | None):
        raise BrokenMessageError("its measurements or its epoch is no object")
    return message


def answer(connection: Connection, *, go_on: bool) -> None:
    """The supervisor's verdict: go on (or keep the model), or not."""
    connection.send_bytes(b"1" if go_on else b"0")


def _verdict(connection: Connection) -> bool:
    return connection.recv_bytes() == b"1"


def run_trial(connection: Connection, task: TrialTask) -> None:
    """Train one candidate; whatever goes wrong becomes a ``failed`` message."""
    task.slot.claim()
    try:
        _train(connection, task)
    except MemoryError as error:
        send(connection, Message("failed", {}, reason=f"out of memory: {_first_line(error)}"))
    except (BrokenPipeError, EOFError, ConnectionResetError):
        os._exit(1)  # the supervisor is gone: nobody wants the result
    except Exception as error:  # noqa: BLE001 - any error of a framework or a user's model costs this trial alone
        import traceback

        traceback.print_exc()  # into the trial's log
        what = "out of memory" if _is_out_of_memory(error) else type(error).__name__
        send(connection, Message("failed", {}, reason=f"{what}: {_first_line(error)}"))


def _train(connection: Connection, task: TrialTask) -> None:
    import keras

    from search import measuring, training
    from search.spec import StudySpec

    spec = StudySpec.from_json(task.spec)
    keras.utils.set_random_seed(task.seed)
    peak = measuring.PeakMemory()
    trainable = training.build(spec.parsed_space(), task.candidate, task.dataset, spec.training.precision, task.seed)
    measurements: dict[str, float] = {
        "model_bytes": measuring.model_bytes(trainable.model, trainable.optimizer),
        "weight_bytes": measuring.weight_bytes(trainable.model),
        "n_parameters": measuring.n_parameters(trainable.model.weights),
        "n_trainable_parameters": measuring.n_parameters(trainable.model.trainable_weights),
    }
    send(connection, Message("built", measurements))
    if not _verdict(connection):
        return

    was_stopped = False

    def goes_on(result: training.EpochResult) -> bool:
        nonlocal was_stopped
        send(connection, Message("epoch", {}, epoch=asdict(result)))
        was_stopped = result.epoch in task.rungs and not _verdict(connection)
        return not was_stopped

    timer, best_epoch = training.fit(trainable, task.dataset, task.candidate, spec.training.epochs, goes_on)
    measurements |= {
        "best_epoch": best_epoch,
        "train_seconds": timer.train_seconds,
        "validation_seconds": timer.validation_seconds,
        "compile_seconds": timer.compile_seconds,
    }
    peak_bytes = peak.bytes()
    if peak_bytes is not None:
        measurements["peak_bytes"] = peak_bytes
    image = task.dataset.split("validation").images[0]
    if task.measures_latency and not was_stopped:
        measurements["latency_seconds"] = measuring.latency_seconds(trainable.model, image)
    send(connection, Message("trained", measurements))
    if not _verdict(connection):
        return

    training.save(trainable, task.model_path)
    late = {} if task.measures_latency else {"latency_seconds": measuring.latency_seconds(trainable.model, image)}
    send(connection, Message("kept", late))


def _is_out_of_memory(error: Exception) -> bool:
    return type(error).__name__ == "ResourceExhaustedError" or "RESOURCE_EXHAUSTED" in str(error)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:300]
