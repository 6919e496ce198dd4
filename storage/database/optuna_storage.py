"""Optuna's storage, which reads a study's trials by our own statements; on SQLite others may write meanwhile."""

from __future__ import annotations

from collections.abc import Container

import sqlalchemy as sa
from optuna.storages import RDBStorage
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import FrozenTrial, TrialState

from tunefront.storage.database import optuna_tables
from tunefront.storage.database.stored_trials import Detail, read_trials

READS = {"tunefront_reads": True}  # options of a connection that only reads


class TrialStorage(RDBStorage):
    """Optuna's storage. Its own objects for ten thousand trials take many times as long as what is read here."""

    def _get_trials(
        self,
        study_id: int,
        states: Container[TrialState] | None,
        included_trial_ids: set[int],
        trial_id_greater_than: int,
    ) -> list[FrozenTrial]:
        """Return the trials that are newer, or included; Optuna's cache asks for those that may have changed.

        Raises:
            KeyError: If there is no such study.
        """
        is_all = trial_id_greater_than < 0
        with _create_scoped_session(self.scoped_session) as session:
            # In a transaction of the store, this is its connection, which has begun already.
            connection = session.connection(execution_options=READS)
            is_study = optuna_tables.studies.c.study_id == study_id
            if connection.execute(sa.select(optuna_tables.studies.c.study_id).where(is_study)).scalar() is None:
                raise KeyError(f"there is no study {study_id} any more")
            trials = read_trials(
                connection,
                study_id,
                None if is_all else included_trial_ids,
                newer_than=None if is_all else trial_id_greater_than,
                detail=Detail.ALL,
            )
        return [trial for trial in trials if states is None or trial.state in states]


def reads(connection: sa.Connection) -> bool:
    """Return whether a connection was opened to read only."""
    return bool(connection.get_execution_options().get("tunefront_reads"))
