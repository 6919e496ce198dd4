"""The learning curve of each trial, epoch by epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from storage import schema
from storage.connection import Store
from storage.queue import Lease


@dataclass(frozen=True)
class Epoch:
    """One epoch of one trial.

    Attributes:
        epoch: Counts from 1.
        accuracy: The accuracy objective's measure on the validation split, a fraction.
        train_seconds: Without tracing, compiling or validation.
        metrics: Everything Keras reported: ``loss``, ``val_loss``, ...
    """

    epoch: int
    accuracy: float
    train_seconds: float
    validation_seconds: float
    metrics: Mapping[str, float]


def append(store: Store, lease: Lease, epoch: Epoch) -> None:
    """Write one epoch of a leased trial."""
    with store.engine.begin() as connection:
        connection.execute(
            schema.epochs.insert().values(
                study_id=lease.study_id,
                number=lease.number,
                epoch=epoch.epoch,
                accuracy=epoch.accuracy,
                train_seconds=epoch.train_seconds,
                validation_seconds=epoch.validation_seconds,
                metrics=json.dumps(epoch.metrics),
            )
        )


def load(store: Store, study_id: int) -> dict[int, list[Epoch]]:
    """Every curve of the study: trial number -> its epochs in order."""
    table = schema.epochs
    query = sa.select(table).where(table.c.study_id == study_id).order_by(table.c.number, table.c.epoch)
    curves: dict[int, list[Epoch]] = {}
    with store.engine.connect() as connection:
        for row in connection.execute(query):
            epoch = Epoch(row.epoch, row.accuracy, row.train_seconds, row.validation_seconds, json.loads(row.metrics))
            curves.setdefault(row.number, []).append(epoch)
    return curves
