"""The candidates of a study's trials as a process knows them: it reads only those that may have changed.

A candidate's parameters are written all at once and never change, so that a trial that has them is read once. Until
then, a trial has at most what it is to take, which the next worker that takes it may replace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.trial import TrialState
from sqlalchemy.engine import Connection, Engine

from tunefront.storage.database import optuna_tables
from tunefront.storage.database.connection import reading

FIXED = "fixed_params"  # the system attribute where Optuna keeps the values that a trial is to take
_MOST_NAMED = 500  # trials that one statement names one by one; databases limit these


class StoredCandidates:
    """The candidates of a study's trials."""

    def __init__(self, engine: Engine, study_id: int) -> None:
        self._engine = engine
        self._study_id = study_id
        self._settled: set[int] = set()  # keys of the trials that are not to be read again
        self._open: set[int] = set()  # keys of the others that were met
        self._last_id = -1
        self._distributions: dict[str, BaseDistribution] = {}

    def note_own(self, trial_id: int) -> None:
        """Note a trial whose candidate this process has just stored: it need not be read."""
        self._settled.add(trial_id)
        self._open.discard(trial_id)

    def read_new(self, n_trials: int, last_id: int) -> list[dict[str, Any]]:
        """Return the parameters of the trials that are new, or could still get others when they were read last.

        Args:
            n_trials: The number of trials of the study: where all of them are known, nothing is read.
            last_id: The largest of their keys.
        """
        if not self._open and n_trials == len(self._settled):
            self._last_id = last_id
            return []
        trials = optuna_tables.trials
        is_wanted = trials.c.trial_id > self._last_id
        if self._open:
            are_few = len(self._open) <= _MOST_NAMED
            is_wanted |= trials.c.trial_id.in_(self._open) if are_few else trials.c.trial_id >= min(self._open)
        is_wanted &= trials.c.study_id == self._study_id
        with reading(self._engine) as connection:
            # Its own parameters are written after what it is to take, and before its end, so they are read last.
            given = self._read_given(connection, is_wanted)
            own = self._read_own(connection, is_wanted)
        new = []
        for trial_id, (state, fixed) in given.items():
            if trial_id in self._settled:
                continue
            parameters = {**fixed, **own.get(trial_id, {})}
            # A space of one's own may have raised when only some of the parameters were drawn: they are not all.
            is_whole = bool(fixed) and parameters.keys() == own.get(trial_id, {}).keys()
            (self._settled if state.is_finished() or is_whole else self._open).add(trial_id)
            new.append(parameters)
        self._open -= self._settled
        self._last_id = max(self._last_id, *given, -1)
        return [parameters for parameters in new if parameters]

    def _read_given(
        self, connection: Connection, is_wanted: sa.ColumnElement[bool]
    ) -> dict[int, tuple[TrialState, dict[str, Any]]]:
        """Read the state of each trial, and what it is to take."""
        trials, attributes = optuna_tables.trials, optuna_tables.trial_system_attributes
        is_fixed = (attributes.c.trial_id == trials.c.trial_id) & (attributes.c.key == FIXED)
        query = (
            sa.select(trials.c.trial_id, trials.c.state, attributes.c.value_json)
            .select_from(trials.outerjoin(attributes, is_fixed))
            .where(is_wanted)
        )
        return {
            trial_id: (TrialState[state], {} if content is None else json.loads(content))
            for trial_id, state, content in connection.execute(query)
        }

    def _read_own(self, connection: Connection, is_wanted: sa.ColumnElement[bool]) -> dict[int, dict[str, Any]]:
        trials, table = optuna_tables.trials, optuna_tables.trial_params
        query = (
            sa.select(table.c.trial_id, table.c.param_name, table.c.param_value, table.c.distribution_json)
            .join(trials, trials.c.trial_id == table.c.trial_id)
            .where(is_wanted)
        )
        found: dict[int, dict[str, Any]] = {}
        for trial_id, name, value, content in connection.execute(query):
            if content not in self._distributions:
                self._distributions[content] = json_to_distribution(content)
            found.setdefault(trial_id, {})[name] = self._distributions[content].to_external_repr(value)
        return found


def fix(engine: Engine, trial_id: int, parameters: Mapping[str, Any]) -> None:
    """Write what a trial is to take, in place of what it was to take before."""
    with engine.begin() as connection:
        optuna_tables.set_attribute(
            connection, optuna_tables.trial_system_attributes, trial_id, FIXED, dict(parameters)
        )
