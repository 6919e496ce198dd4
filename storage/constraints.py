"""Limits as Optuna's constraints: how far a trial breaks each, for samplers and optuna-dashboard.

The violations are stored under Optuna's list key alone, for three reasons. The dashboard reads no other key. Optuna
never overwrites the keys of its ``set_constraint``, one for each name. And it counts every violation of a trial that
has both kinds of keys twice. A study that an older tunefront began has trials with the keys of ``set_constraint``,
which Optuna and :func:`by_measure` read too.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa
from optuna.trial import FrozenTrial
from sqlalchemy.engine import Connection

from tunefront.objectives.limits import Objective
from tunefront.storage.database import optuna_tables
from tunefront.storage.database.insertion import insert_rows

KEY = "constraints"


def as_list(objectives: Iterable[Objective], violations: Mapping[str, float]) -> list[float]:
    """Return violations as the list that Optuna wants: above 0 is infeasible, and all of a study's lists are as long.

    Returns:
        A violation for each objective with a limit, in their order; 0, which breaks nothing, where it is not known.
    """
    return [violations.get(objective.measure.name, 0.0) for objective in objectives if objective.has_limit]


def by_measure(trial: FrozenTrial, objectives: Iterable[Objective]) -> dict[str, float]:
    """Return a trial's violations by measure, with 0 where one was not known; empty if it has no such list."""
    names = [objective.measure.name for objective in objectives if objective.has_limit]
    stored = trial.system_attrs.get(KEY)
    if stored is None:
        return {name: value for name, value in trial.constraints.items() if name in names}
    return dict(zip(names, stored, strict=True)) if len(stored) == len(names) else {}


def write(connection: Connection, trial_id: int, violations: Sequence[float]) -> None:
    """Store the list of a trial that has not ended yet; a list that an earlier attempt left is replaced."""
    table = optuna_tables.trial_system_attributes
    optuna_tables.set_attribute(connection, table, trial_id, KEY, list(violations))


def forget(connection: Connection, study_id: int, numbers: Collection[int]) -> None:
    """Delete the constraints of these trials, under whichever key they are."""
    table = optuna_tables.trial_system_attributes
    is_constraint = (table.c.key == KEY) | table.c.key.startswith(f"{KEY}:", autoescape=True)
    is_of_these = table.c.trial_id.in_(optuna_tables.trial_ids(study_id, numbers))
    connection.execute(table.delete().where(is_of_these & is_constraint))


def rewrite(connection: Connection, study_id: int, lists: Mapping[int, Sequence[float]]) -> None:
    """Replace the constraints of finished trials, given by trial number; an empty list only deletes them."""
    forget(connection, study_id, lists)
    trials = optuna_tables.trials
    ids = connection.execute(sa.select(trials.c.number, trials.c.trial_id).where(trials.c.study_id == study_id)).all()
    rows = [
        {"trial_id": row.trial_id, "key": KEY, "value_json": json.dumps(lists[row.number])}
        for row in ids
        if lists.get(row.number)
    ]
    insert_rows(connection, optuna_tables.trial_system_attributes, rows)
