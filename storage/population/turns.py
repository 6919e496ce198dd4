"""The turns of a population's members: trials that train some epochs, wait, and go on, or inherit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import optuna
import sqlalchemy as sa
from optuna.trial import FrozenTrial, TrialState

from tunefront.storage.artifacts.rows import CHECKPOINTS, delete_rows
from tunefront.storage.attempts import Attempt, of_trial, read_attempts
from tunefront.storage.database import optuna_tables, schema
from tunefront.storage.database.insertion import insert_rows
from tunefront.storage.database.locks import LockBusyError
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.population import stages
from tunefront.storage.population.stages import Stage

APART = "populations_apart"  # user attribute of a study in Optuna: its machines do not see each other's checkpoints


@dataclass(frozen=True)
class PopulationMember:
    """A trial as a member of a population.

    Attributes:
        trial: The trial as Optuna has it.
        accuracies: The accuracy of each epoch, from the first one on.
        stages: The stages of its training; empty if its settings are those that it was sampled with.
        attempts: The attempts at it, in order.
        is_kept_elsewhere: Whether another worker that was seen during the last lease trained it last.
        has_own_versions: Whether the worker that trained it last has the versions of Keras and the like that this one
            has, as far as both are known: a checkpoint of other versions is not gone on from.
    """

    trial: FrozenTrial
    accuracies: Sequence[float]
    stages: Sequence[Stage]
    attempts: Sequence[Attempt]
    is_kept_elsewhere: bool
    has_own_versions: bool

    @property
    def number(self) -> int:
        return self.trial.number

    @property
    def n_epochs(self) -> int:
        return len(self.accuracies)

    @property
    def kept_epochs(self) -> int:
        """The epochs before the newest checkpoint that its last attempt had."""
        if not self.attempts:
            return 0
        last = self.attempts[-1]
        return min(max(last.checkpoint_epochs, last.resumed_epochs), self.n_epochs)


def read_members(study: OpenStudy, trials: Sequence[FrozenTrial], worker_id: str) -> list[PopulationMember]:
    """Read the members that these trials are, in their order, for a worker."""
    epochs, workers = schema.epochs, schema.workers
    accuracies: dict[int, list[float]] = {}
    with study.store.engine.connect() as connection:
        query = sa.select(epochs.c.number, epochs.c.accuracy).where(epochs.c.study_id == study.study_id)
        for number, accuracy in connection.execute(query.order_by(epochs.c.number, epochs.c.epoch)):
            accuracies.setdefault(number, []).append(float(accuracy))
        attempts = read_attempts(connection, study.study_id)
        since = schema.database_now() - study.store.waits.lease_seconds
        living = set(connection.execute(sa.select(workers.c.worker_id).where(workers.c.seen_at > since)).scalars())
        trained = {made[-1].worker_id for made in attempts.values()} | {worker_id}
        query = sa.select(workers.c.worker_id, workers.c.machine).where(workers.c.worker_id.in_(trained))
        versions = {row.worker_id: _versions(json.loads(row.machine)) for row in connection.execute(query)}
    others, own_versions = living - {worker_id}, versions.get(worker_id) or {}
    members = []
    for trial in trials:
        made = attempts.get(trial.number, [])
        last = made[-1].worker_id if made else worker_id
        theirs = versions.get(last) or {}
        members.append(
            PopulationMember(
                trial,
                accuracies.get(trial.number, []),
                stages.read(trial.user_attrs),
                made,
                is_kept_elsewhere=last in others,
                has_own_versions=not (theirs and own_versions) or theirs == own_versions,
            )
        )
    return members


def _versions(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the versions, in a worker's description of its machine, that a checkpoint must be of."""
    return {name: machine[name] for name in ("tunefront", "keras", "backend", "backend_version") if name in machine}


def take(connection: sa.Connection, study: OpenStudy, number: int | None) -> optuna.Trial:
    """Start this waiting trial, or with None a new one, as `ask` of Optuna starts the first one that waits.

    Optuna's cache has not met the trial: its parameters are to be written past it, see :class:`DrawnParameters`.

    Args:
        connection: It is in the transaction that Optuna's storage is in.

    Raises:
        LockBusyError: If the trial does not wait any more.
    """
    if number is None:
        return _NewTrial(study.optuna, optuna_tables.create(connection, study.study_id, *study.states.last()))
    trial_id = study.trial_id(number)
    if not study.store.optuna.set_trial_state_values(trial_id, TrialState.RUNNING):
        raise LockBusyError(f"another worker has taken trial {number} while this one was silent")
    return optuna.Trial(study.optuna, trial_id)


class _NewTrial(optuna.Trial):
    """A trial that was made a moment ago, about which Optuna need not ask the database: nothing is stored of it."""

    def __init__(self, study: optuna.Study, made: FrozenTrial) -> None:
        super().__init__(cast(optuna.Study, _Knowing(study, made)), made._trial_id)
        self.study, self.storage = study, study._storage


class _Knowing:
    """An Optuna study, and its storage, with a trial at hand."""

    def __init__(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._study = study
        self._trial = trial

    @property
    def _storage(self) -> _Knowing:
        return self

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return self._trial

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)


def inherit(study: OpenStudy, number: int, donor: int, epoch: int, course: Sequence[Stage]) -> list[str]:
    """Give a waiting trial a course of stages, and the curve of `donor` up to an epoch, in one transaction.

    The caller holds the study's lock.

    Returns:
        The digests of the trial's checkpoints in the artifacts, whose rows are deleted: they have its weights before.
    """
    table, study_id = schema.epochs, study.study_id
    copied = [column for column in table.columns if column.name != "number"]
    attributes = optuna_tables.trial_user_attributes
    with study.store.engine.begin() as connection:
        connection.execute(table.delete().where(of_trial(table, study_id, number)))
        rows = connection.execute(
            sa.select(*copied).where(of_trial(table, study_id, donor) & (table.c.epoch <= epoch))
        ).all()
        insert_rows(connection, table, [{**row._mapping, "number": number} for row in rows])
        _replace_stages(connection, attributes, study_id, number, course)
        return delete_rows(connection, study_id, number, CHECKPOINTS)


def write_stages(study: OpenStudy, number: int, course: Sequence[Stage]) -> None:
    """Replace the stages of a waiting trial; the caller holds the study's lock."""
    with study.store.engine.begin() as connection:
        _replace_stages(connection, optuna_tables.trial_user_attributes, study.study_id, number, course)


def _replace_stages(
    connection: sa.Connection, table: sa.TableClause, study_id: int, number: int, course: Sequence[Stage]
) -> None:
    trial_id = connection.execute(optuna_tables.trial_ids(study_id, [number])).scalar_one()
    connection.execute(table.delete().where((table.c.trial_id == trial_id) & (table.c.key == stages.KEY)))
    content = json.dumps(stages.as_json(course))
    connection.execute(table.insert().values(trial_id=trial_id, key=stages.KEY, value_json=content))
