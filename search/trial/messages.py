"""The messages between a trial's process and its supervisor.

Each is a JSON object. The supervisor answers a message if the child must wait for a decision.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.slots import Slot
from tunefront.spaces.candidate import Candidate


@dataclass(frozen=True)
class TrialTask:
    """The task of a trial process.

    Attributes:
        spec: The StudySpec as JSON data.
        seed: The trial's seed, for weights, order of batches and augmentation.
        rungs: The epochs after which the child waits for a verdict.
        model_path: The path for the model if it is to be kept.
        measures_latency: Whether latency is an objective, and so measured for every trial.
        log_folder: The folder for TensorBoard's logs; empty if the study wants none.
        structures: The folder where trials of this run keep what exporting untrained networks told; empty for none.
        checkpoint_folder: The trial's folder for checkpoints; empty writes none.
        resume_from: The last epoch that the store keeps of earlier attempts: the training goes on from the newest whole
            checkpoint that is not after it. 0 begins anew.
        device: The kind of device that trains, as :func:`tunefront.search.launching.machine.device_kind` tells it.
        turns: The epochs after which the child writes a checkpoint, and asks whether it goes on or ends.
        attempt: Which attempt at the trial this is, counted from 1.
        curve: What Keras reported in each epoch up to `resume_from`, for TensorBoard's logs; empty if there are none.
        may_be_followed: Whether the study lets its process train another seed of the candidate afterwards.
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
    log_folder: str = ""
    structures: str = ""
    checkpoint_folder: str = ""
    resume_from: int = 0
    device: str = ""
    turns: tuple[int, ...] = ()
    attempt: int = 1
    curve: tuple[Mapping[str, float], ...] = ()
    may_be_followed: bool = False


@dataclass(frozen=True)
class Message:
    """A message from child to supervisor.

    Attributes:
        kind: ``built`` (answered), ``epoch`` (answered at rungs), ``trained`` (answered), ``kept``,
            ``failed``; ``checkpoint``, when one was written or could not be; ``turn`` (answered), after that of an
            epoch that ends a turn; and of a task with `resume_from`, before ``built``, ``resumed``.
        measurements: Name with unit -> value, as far as known.
        epoch: For ``epoch``: fields of :class:`tunefront.storage.Epoch`. For ``checkpoint`` and ``turn``: its `epoch`
            and `n_epochs`, see :class:`tunefront.search.checkpoints.header.CheckpointHeader`. For ``resumed``: the
            `epoch` after which the training goes on, at most `resume_from`, and 0 if it begins anew; later ones that
            the store keeps are void.
        reason: For ``failed``: the reason. For ``checkpoint`` without an `epoch`: why it was not written. For
            ``resumed``: why it is not `resume_from`; empty if it is.
        answers: For ``trained`` in a confirmation and ``kept`` in a search: split -> fields of
            :class:`tunefront.storage.Answers`.
        takes_next: For ``trained``: whether the process then waits for another seed of its candidate.
    """

    kind: str
    measurements: Mapping[str, float]
    epoch: Mapping[str, Any] | None = None
    reason: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    takes_next: bool = False


def send(connection: Connection, message: Message) -> None:
    """Write a message."""
    connection.send_bytes(json.dumps(asdict(message)).encode())


class BrokenMessageError(Exception):
    """A trial process sent an invalid message."""


class NotFiniteError(Exception):
    """A trial process measured something that is no finite number and so cannot be compared."""


def receive(connection: Connection) -> Message:
    """Read a message, whose measurements and epoch hold finite numbers only.

    Raises:
        EOFError, OSError: If the child is gone, perhaps in the middle of a message.
        BrokenMessageError: If it is no valid message.
        NotFiniteError: If a number in it is NaN, infinite or too large; names the number.
    """
    data = connection.recv_bytes()
    try:
        message = Message(**json.loads(data))
    except (TypeError, ValueError) as error:
        raise BrokenMessageError(first_line(error)) from error
    for name in ("measurements", "epoch", "answers"):
        value = getattr(message, name)
        if not isinstance(value, dict) and (name, value) != ("epoch", None):
            raise BrokenMessageError(f"its {name} is no object")
    epoch = dict(message.epoch or {})
    metrics = epoch.pop("metrics", {})
    if not isinstance(metrics, dict):
        raise BrokenMessageError("the metrics of its epoch are no object")
    for numbers in (message.measurements, epoch, metrics):
        _check_finite(numbers, f" in epoch {epoch['epoch']}" if "epoch" in epoch else "")
    return message


def _check_finite(numbers: Mapping[str, Any], when: str) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BrokenMessageError(f"{name} is no number but {value!r:.50}")
        if not -sys.float_info.max <= value <= sys.float_info.max:  # NaN is in no range
            raise NotFiniteError(f"{name} became {value if isinstance(value, float) else 'too large'}{when}")


def answer(connection: Connection, *, go_on: bool) -> None:
    """Send the supervisor's verdict: whether to go on, or to keep the model."""
    connection.send_bytes(b"1" if go_on else b"0")


def receive_verdict(connection: Connection) -> bool:
    """Wait for the supervisor's verdict: whether to go on, or to keep the model."""
    return connection.recv_bytes() == b"1"


def first_line(error: BaseException) -> str:
    """Return an error's message as a line of at most 300 characters."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:300]
