"""All trials of a study as Optuna lists them, read by a few statements: by its own storage it takes many times longer.

Left out are times, intermediate values, and the system attributes that are no constraints: no report tells of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import Connection

from tunefront.storage.database import optuna_tables

_MOST_NAMED = 500  # trials that one statement names one by one; databases limit these
_INFINITE = {"INF_POS": math.inf, "INF_NEG": -math.inf}


def read_trials(
    connection: Connection, study_id: int, trial_ids: Collection[int] | None = None, *, results_only: bool = False
) -> list[FrozenTrial]:
    """Read the trials of a study in the order of their numbers, all or those with these keys. Writes nothing.

    Args:
        results_only: Whether parameters and the user's attributes are left out.
    """
    table = optuna_tables.trials
    is_wanted = table.c.study_id == study_id
    if trial_ids is not None and len(trial_ids) <= _MOST_NAMED:
        is_wanted &= table.c.trial_id.in_(trial_ids)
    query = sa.select(table.c.trial_id, table.c.number, table.c.state).where(is_wanted)
    found = {
        trial_id: FrozenTrial(
            number=number,
            state=TrialState[state],
            value=None,
            datetime_start=None,
            datetime_complete=None,
            params={},
            distributions={},
            user_attrs={},
            system_attrs={},
            intermediate_values={},
            trial_id=trial_id,
        )
        # What a trial has is written before its state says so, so the states are read first.
        for trial_id, number, state in connection.execute(query.order_by(table.c.number))
    }
    _add_values(connection, is_wanted, found)
    _add_constraints(connection, is_wanted, found)
    if not results_only:
        _add_parameters(connection, is_wanted, found)
        _add_user_attributes(connection, is_wanted, found)
    return [trial for trial_id, trial in found.items() if trial_ids is None or trial_id in trial_ids]


def _add_values(connection: Connection, is_wanted: sa.ColumnElement[bool], found: Mapping[int, FrozenTrial]) -> None:
    table = optuna_tables.trial_values
    columns = (table.c.trial_id, table.c.value, table.c.value_type)
    values: dict[int, list[float]] = {}
    for trial_id, value, kind in connection.execute(_rows(table, is_wanted, *columns).order_by(table.c.objective)):
        values.setdefault(trial_id, []).append(_INFINITE.get(kind, value))
    for trial_id, of_trial in values.items():
        if trial_id in found:
            found[trial_id].values = of_trial


def _add_parameters(
    connection: Connection, is_wanted: sa.ColumnElement[bool], found: Mapping[int, FrozenTrial]
) -> None:
    table = optuna_tables.trial_params
    columns = (table.c.trial_id, table.c.param_name, table.c.param_value, table.c.distribution_json)
    known: dict[str, BaseDistribution] = {}
    # By trial first, so that SQLite sorts a few rows at a time, and not a million.
    query = _rows(table, is_wanted, *columns).order_by(optuna_tables.trials.c.trial_id, table.c.param_id)
    for trial_id, rows in groupby(connection.execute(query), key=itemgetter(0)):
        parameters: dict[str, Any] = {}
        distributions: dict[str, BaseDistribution] = {}
        for _, name, value, content in rows:
            if content not in known:
                known[content] = json_to_distribution(content)
            distributions[name] = kind = known[content]
            parameters[name] = kind.to_external_repr(value)
        if trial_id in found:
            found[trial_id].params, found[trial_id].distributions = parameters, distributions


def _add_user_attributes(
    connection: Connection, is_wanted: sa.ColumnElement[bool], found: Mapping[int, FrozenTrial]
) -> None:
    table = optuna_tables.trial_user_attributes
    for trial_id, key, content in connection.execute(_rows(table, is_wanted, *table.c)):
        if trial_id in found:
            found[trial_id].user_attrs[key] = json.loads(content)


def _add_constraints(
    connection: Connection, is_wanted: sa.ColumnElement[bool], found: Mapping[int, FrozenTrial]
) -> None:
    system = optuna_tables.trial_system_attributes
    is_constraint = system.c.key.startswith("constraints")
    for trial_id, key, content in connection.execute(_rows(system, is_wanted, *system.c).where(is_constraint)):
        if trial_id in found:
            found[trial_id].system_attrs[key] = json.loads(content)


def _rows(table: sa.TableClause, is_wanted: sa.ColumnElement[bool], *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    trials = optuna_tables.trials
    return sa.select(*columns).join(trials, trials.c.trial_id == table.c.trial_id).where(is_wanted)
