"""A training that takes a second and does nothing, for measures of everything else."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection
from pathlib import Path

from tunefront.search.trial.messages import Message, TrialTask, send

SECONDS = 1.0


def train(connection: Connection, task: TrialTask) -> None:
    """Tell what a trial of one epoch tells; values differ, so that there is a front, and few trials come on it."""
    begun_at = time.monotonic()
    size = 1000.0 + task.number * 7919 % 9973
    send(connection, Message("built", {"model_bytes": size, "weight_bytes": size / 3}))
    connection.recv_bytes()
    time.sleep(max(SECONDS - (time.monotonic() - begun_at), 0.0))
    accuracy = (task.number * 104729 % 9973) / 9973
    epoch = {"epoch": 1, "accuracy": accuracy, "train_seconds": SECONDS, "validation_seconds": 0.0, "metrics": {}}
    send(connection, Message("epoch", {}, epoch=epoch))
    send(connection, Message("trained", {"train_seconds": SECONDS, "validation_seconds": 0.0}))
    if connection.recv_bytes() == b"1":
        Path(task.model_path).write_text("a model")
        send(connection, Message("kept", {}))
