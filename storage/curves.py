"""The learning curve of each trial, epoch by epoch, and as Optuna's intermediate values.

Optuna's pruners compare those, and its dashboard draws them. They are written only in studies of one objective: with
several, Optuna's TPE fails on a pruned trial that has any.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from tunefront.storage.attempts import Lease, holds
from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store
from tunefront.storage.database.optuna_tables import delete_values
from tunefront.storage.open_study import OpenStudy


@dataclass(frozen=True)
class Epoch:
    """One epoch of one trial.

    Attributes:
        epoch: Counts from 1.
        accuracy: The accuracy objective's measure on the validation split, a fraction.
        train_seconds: Seconds of training, without tracing, compiling or validation.
        metrics: Everything Keras reported: ``loss``, ``val_loss``, ...
    """

    epoch: int
    accuracy: float
    train_seconds: float
    validation_seconds: float
    metrics: Mapping[str, float]


def append(store: Store, lease: Lease, epoch: Epoch) -> bool:
    """Write one epoch of a leased trial; writing it again replaces it.

    Returns:
        False, and nothing is written, if the lease is no longer held.
    """
    table = schema.epochs
    is_epoch = (table.c.study_id == lease.study_id) & (table.c.number == lease.number) & (table.c.epoch == epoch.epoch)
    with store.engine.begin() as connection:
        if not holds(connection, lease):
            return False
        connection.execute(table.delete().where(is_epoch))
        connection.execute(
            table.insert().values(
                study_id=lease.study_id,
                number=lease.number,
                epoch=epoch.epoch,
                accuracy=epoch.accuracy,
                train_seconds=epoch.train_seconds,
                validation_seconds=epoch.validation_seconds,
                metrics=json.dumps(epoch.metrics),
            )
        )
    return True


def load(study: OpenStudy, numbers: Sequence[int] | None = None) -> dict[int, list[Epoch]]:
    """Read the curves of the study's trials, all or those in `numbers`: number -> its epochs in order."""
    table = schema.epochs
    columns = (table.c.number, *(table.c[name] for name in Epoch.__dataclass_fields__))
    query = sa.select(*columns).where(table.c.study_id == study.study_id).order_by(table.c.number, table.c.epoch)
    if numbers is not None:
        query = query.where(table.c.number.in_(numbers))
    curves: dict[int, list[Epoch]] = {}
    with study.store.engine.connect() as connection:
        for number, epoch, accuracy, train_seconds, validation_seconds, metrics in connection.execute(query):
            found = Epoch(epoch, accuracy, train_seconds, validation_seconds, json.loads(metrics))
            curves.setdefault(number, []).append(found)
    return curves


def epochs_saved(study: OpenStudy) -> int:
    """Count the epochs that trials were still to train when they were stopped early."""
    table = schema.epochs
    query = (
        sa.select(table.c.number, sa.func.count()).where(table.c.study_id == study.study_id).group_by(table.c.number)
    )
    with study.store.engine.connect() as connection:
        trained = {int(number): int(n_epochs) for number, n_epochs in connection.execute(query)}
    planned = study.record.spec["training"]["epochs"]  # a number wherever trials have no number of their own
    stopped = study.optuna.get_trials(deepcopy=False, states=(TrialState.PRUNED,))
    return sum(
        max(int(trial.params.get("training.epochs", planned)) - trained[trial.number], 0)
        for trial in stopped
        if trial.number in trained
    )


def report(store: Store, lease: Lease, step: int, value: float) -> None:
    """Write one intermediate value of a leased trial. Writes nothing if a person has ended the trial meanwhile."""
    trial_id = store.optuna.get_trial_id_from_study_id_trial_number(lease.study_id, lease.number)
    with contextlib.suppress(UpdateFinishedTrialError):
        store.optuna.set_trial_intermediate_value(trial_id, step, value)


def forget_reported(store: Store, lease: Lease) -> None:
    """Delete the intermediate values and rungs of an earlier attempt, so that a retry starts clean."""
    with store.engine.begin() as connection:
        delete_values(connection, lease.study_id, lease.number)
