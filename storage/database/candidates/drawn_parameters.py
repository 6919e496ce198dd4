"""The parameters of a candidate, written in one transaction once all are drawn: Optuna takes one for each."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any, cast

import optuna
import sqlalchemy as sa
from optuna.distributions import (
    BaseDistribution,
    check_distribution_compatibility,
    distribution_to_json,
    json_to_distribution,
)
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from sqlalchemy.engine import Engine

from tunefront.storage.database import optuna_tables
from tunefront.storage.database.connection import reading
from tunefront.storage.database.insertion import insert_rows


class DrawnParameters:
    """Optuna's storage as a trial sees it while its candidate is drawn: it keeps the parameters until they are written.

    All else goes to the storage. Parameters are checked as Optuna checks them, and with the same errors.

    Args:
        study_id: The study whose trials' parameters they must be compatible with.
        engine: The engine of the storage.
    """

    def __init__(self, engine: Engine, study_id: int) -> None:
        self._engine = engine
        self._study_id = study_id
        self._storage: BaseStorage | None = None
        self._known: dict[str, BaseDistribution] = {}  # by parameter, of trials that were drawn earlier
        # Kept when they cannot be written: a trial that is asked once more knows its parameters, and does not set them.
        self._unwritten: weakref.WeakKeyDictionary[optuna.Trial, list[dict[str, Any]]] = weakref.WeakKeyDictionary()
        self._rows: list[dict[str, Any]] = []

    @contextlib.contextmanager
    def of(self, trial: optuna.Trial) -> Iterator[None]:
        """Keep what this trial draws meanwhile, and write it at the end, also after an error.

        Where the write fails, it is made the next time.

        Raises:
            UpdateFinishedTrialError: If the trial has ended meanwhile. Nothing is written then.
        """
        self._storage, trial.storage = trial.storage, cast(BaseStorage, self)
        self._rows = self._unwritten.setdefault(trial, [])
        try:
            yield
        finally:
            trial.storage, self._storage = self._storage, None
            if self._rows:
                self._write(self._rows)
            del self._unwritten[trial]

    def set_trial_param(self, trial_id: int, name: str, value: float, distribution: BaseDistribution) -> None:
        """Keep a parameter, as Optuna's function of this name would write it.

        Raises:
            ValueError: If an earlier trial's distribution of the parameter is another one.
        """
        earlier = self._known.get(name) or self._earlier(name)
        if earlier is not None:
            check_distribution_compatibility(earlier, distribution)
        self._known.setdefault(name, earlier or distribution)
        content = distribution_to_json(distribution)
        self._rows.append(
            {"trial_id": trial_id, "param_name": name, "param_value": value, "distribution_json": content}
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def _earlier(self, name: str) -> BaseDistribution | None:
        parameters, trials = optuna_tables.trial_params, optuna_tables.trials
        query = (
            sa.select(parameters.c.distribution_json)
            .join(trials, trials.c.trial_id == parameters.c.trial_id)
            .where((trials.c.study_id == self._study_id) & (parameters.c.param_name == name))
            .limit(1)
        )
        with reading(self._engine) as connection:
            content = connection.execute(query).scalar()
        return None if content is None else json_to_distribution(content)

    def _write(self, rows: list[dict[str, Any]]) -> None:
        # Where the trial was taken over meanwhile, the other worker has drawn the same candidate, and may have told it.
        with contextlib.suppress(sa.exc.IntegrityError), self._engine.begin() as connection:
            state = optuna_tables.state_of(connection, rows[0]["trial_id"])
            if state is None or state.is_finished():
                raise UpdateFinishedTrialError("the trial has ended, so that it takes no parameters")
            insert_rows(connection, optuna_tables.trial_params, rows)
