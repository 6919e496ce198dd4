"""All trials of a study as Optuna lists them, read by a few statements: by its own storage it takes many times longer.

What is not asked for is left out, such as times, intermediate values, and the system attributes that are no
constraints: no report tells of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from enum import Enum
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import Connection

from tunefront.storage.database import optuna_tables

_MOST_NAMED = 500  # trials that one statement names one by one; databases limit these
_NOT_FINITE = {"INF_POS": math.inf, "INF_NEG": -math.inf, "NAN": math.nan}


class Detail(Enum):
    """What is read of trials besides number, state, values and constraints."""

    NOTHING = 0
    PARAMETERS = 1  # and the user's attributes
    ALL = 2  # and times, intermediate values and all of the system's attributes


def read_trials(
    connection: Connection,
    study_id: int,
    trial_ids: Collection[int] | None = None,
    *,
    newer_than: int | None = None,
    detail: Detail = Detail.PARAMETERS,
) -> list[FrozenTrial]:
    """Read the trials of a study in the order of their numbers. Writes nothing.

    Args:
        trial_ids: The keys of the trials that are wanted; None for all.
        newer_than: The key after which all trials are wanted, too.
    """
    table = optuna_tables.trials
    is_wanted = table.c.study_id == study_id
    if trial_ids is not None and len(trial_ids) <= _MOST_NAMED:
        is_named = table.c.trial_id.in_(trial_ids)
        is_wanted &= is_named if newer_than is None else is_named | (table.c.trial_id > newer_than)
    columns = (table.c.trial_id, table.c.number, table.c.state, table.c.datetime_start, table.c.datetime_complete)
    query = sa.select(*columns).where(is_wanted)
    has_times = detail is Detail.ALL
    found = {
        trial_id: FrozenTrial(
            number=number,
            state=TrialState[state],
            value=None,
            datetime_start=started_at if has_times else None,
            datetime_complete=completed_at if has_times else None,
            params={},
            distributions={},
            user_attrs={},
            system_attrs={},
            intermediate_values={},
            trial_id=trial_id,
        )
        # What a trial has is written before its state says so, so the states are read first.
        for trial_id, number, state, started_at, completed_at in connection.execute(query.order_by(table.c.number))
        if trial_ids is None or trial_id in trial_ids or (newer_than is not None and trial_id > newer_than)
    }
    _add_values(connection, is_wanted, found)
    _add_system_attributes(connection, is_wanted, found, constraints_only=detail is not Detail.ALL)
    if detail is not Detail.NOTHING:
        _add_parameters(connection, is_wanted, found)
        _add_user_attributes(connection, is_wanted, found)
    if detail is Detail.ALL:
        _add_intermediate_values(connection, is_wanted, found)
    return list(found.values())


def _add_values(connection: Connection, is_wanted: sa.ColumnElement[bool], found: Mapping[int, FrozenTrial]) -> None:
    table = optuna_tables.trial_values
    columns = (table.c.trial_id, table.c.value, table.c.value_type)
    values: dict[int, list[float]] = {}
    for trial_id, value, kind in connection.execute(_rows(table, is_wanted, *columns).order_by(table.c.objective)):
        values.setdefault(trial_id, []).append(_NOT_FINITE.get(kind, value))
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


def _add_system_attributes(
    connection: Connection,
    is_wanted: sa.ColumnElement[bool],
    found: Mapping[int, FrozenTrial],
    *,
    constraints_only: bool,
) -> None:
    table = optuna_tables.trial_system_attributes
    query = _rows(table, is_wanted, *table.c)
    if constraints_only:
        query = query.where(table.c.key.startswith("constraints"))
    for trial_id, key, content in connection.execute(query):
        if trial_id in found:
            found[trial_id].system_attrs[key] = json.loads(content)


def _add_intermediate_values(
    connection: Connection, is_wanted: sa.ColumnElement[bool], found: Mapping[int, FrozenTrial]
) -> None:
    table = optuna_tables.trial_intermediate_values
    columns = (table.c.trial_id, table.c.step, table.c.intermediate_value, table.c.intermediate_value_type)
    for trial_id, step, value, kind in connection.execute(_rows(table, is_wanted, *columns)):
        if trial_id in found:
            found[trial_id].intermediate_values[step] = _NOT_FINITE.get(kind, value)


def _rows(table: sa.TableClause, is_wanted: sa.ColumnElement[bool], *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    trials = optuna_tables.trials
    return sa.select(*columns).join(trials, trials.c.trial_id == table.c.trial_id).where(is_wanted)
