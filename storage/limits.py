"""Changing a study's limits: what is stored of its finished trials is computed anew from their measurements.

Optuna refuses to change finished trials, so this module writes to Optuna's tables itself. The caller holds the store's
lock and knows that nobody runs the study: an Optuna study that is open elsewhere keeps the finished trials it has read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import Connection

from tunefront.objectives.limits import Objective, broken_limit, read_limits, read_objectives, violations
from tunefront.objectives.measures import known_early
from tunefront.storage import constraints, counts, queue
from tunefront.storage.database import optuna_tables, schema
from tunefront.storage.measurements import load_measurements
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

CHANGES = "limit_changes"  # user attribute of a study: each change, in words
# User attribute of a study: number of a stopped trial -> measure -> the best predicted value at the training's end. The
# list of constraints has no place for the prediction of a measure without a limit, and a limit may be added again.
PREDICTED_ENDS = "predicted_ends"

_Objectives = Sequence[Objective]
_Values = Mapping[str, float]  # by measure


def change(study: OpenStudy, spec: Mapping[str, Any]) -> list[int]:
    """Save `spec`, which has other limits, and rewrite in one transaction what was stored under the old limits.

    The violations of a complete trial follow from its values and measurements. Those of a stopped trial follow from the
    measurements of its built model and, where its end was predicted to break a limit, from that prediction.

    Returns:
        Numbers of the trials that were stopped because of a limit and would not be stopped under the new limits.
    """
    old, new = (read_limits(each) for each in (study.record.spec, spec))
    names = [objective.measure.name for objective in read_objectives(spec).values()]  # the same in both specs
    trials = study.optuna.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    measurements = load_measurements(study)
    noted = study.optuna.user_attrs.get(PREDICTED_ENDS, {})
    ends = {
        str(trial.number): {**_predicted_ends(trial, old), **noted.get(str(trial.number), {})}
        for trial in trials
        if trial.state == TrialState.PRUNED
    }
    complete = {
        trial.number: {**measurements.get(trial.number, {}), **dict(zip(names, trial.values, strict=True))}
        for trial in trials
        if trial.state == TrialState.COMPLETE
    }
    broken = {
        trial.number: violations(new, complete[trial.number])
        if trial.state == TrialState.COMPLETE
        else _violations_of_stopped(new, ends[str(trial.number)], measurements.get(trial.number, {}))
        for trial in trials
    }
    refused = counts.refused(study)
    note = {
        "n_finished": len({trial.number for trial in trials} - refused),
        "before": _describe(old),
        "after": _describe(new),
    }
    notes = [*study.optuna.user_attrs.get(CHANGES, []), note]  # reading inside the transaction would block on SQLite
    with study.store.engine.begin() as connection:
        lists = {number: constraints.as_list(new, found) for number, found in broken.items()}
        constraints.rewrite(connection, study.study_id, lists)
        _rewrite_reasons(connection, study.study_id, trials, complete, old, new)
        _note(connection, study.study_id, CHANGES, notes)
        _note(connection, study.study_id, PREDICTED_ENDS, {number: found for number, found in ends.items() if found})
        where = schema.studies.c.study_id == study.study_id
        connection.execute(schema.studies.update().where(where).values(spec=json.dumps(spec)))
    stopped = [trial for trial in trials if trial.state == TrialState.PRUNED and trial.number not in refused]
    return [each.number for each in stopped if _is_any(each.constraints) and not _is_any(broken[each.number])]


def _is_any(found: Mapping[str, float]) -> bool:
    return any(violation > 0 for violation in found.values())


def _describe(objectives: _Objectives) -> str:
    limits = [f"{each.measure.name} {each.describe_limits()}" for each in objectives if each.has_limit]
    return ", ".join(limits) or "none"


def _predicted_ends(trial: FrozenTrial, objectives: _Objectives) -> dict[str, float]:
    """Return the end of a stopped trial that its constraints were computed from, by measure."""
    predicted = constraints.by_measure(trial, objectives)
    return {
        each.measure.name: each.best_limit + _sign(each) * predicted[each.measure.name]
        for each in objectives
        # 0 stands for an unknown violation. A prediction is of the best end, so only `best_limit` can be broken by it.
        if each.best_limit is not None and predicted.get(each.measure.name)
    }


def _violations_of_stopped(objectives: _Objectives, ends: _Values, measurements: _Values) -> dict[str, float]:
    predicted = {
        each.measure.name: _sign(each) * (ends[each.measure.name] - each.best_limit)
        for each in objectives
        if each.best_limit is not None and each.measure.name in ends
    }
    return {**predicted, **violations(objectives, known_early(measurements))}


def _sign(objective: Objective) -> int:
    return -1 if objective.measure.direction == "maximize" else 1


def _rewrite_reasons(
    connection: Connection,
    study_id: int,
    trials: Sequence[FrozenTrial],
    complete: Mapping[int, _Values],
    old: _Objectives,
    new: _Objectives,
) -> None:
    """Store which limit each complete trial breaks now, in place of the one it broke before. Other reasons stay.

    Args:
        complete: The values and measurements of the complete trials, by number.
    """
    for trial in trials:
        if trial.number in complete:
            before, after = (broken_limit(each, complete[trial.number]) for each in (old, new))
            if before != after and trial.user_attrs.get(queue.REASON, "") == before:
                _rewrite_reason(connection, study_id, trial.number, after)


def _rewrite_reason(connection: Connection, study_id: int, number: int, reason: str) -> None:
    table, numbers = optuna_tables.trial_user_attributes, optuna_tables.trial_ids(study_id, [number])
    connection.execute(table.delete().where(table.c.trial_id.in_(numbers) & (table.c.key == queue.REASON)))
    if reason:
        row = sa.select(numbers.subquery().c.trial_id, sa.literal(queue.REASON), sa.literal(json.dumps(reason)))
        connection.execute(table.insert().from_select(["trial_id", "key", "value_json"], row))
    attempts = schema.attempts
    is_end = (attempts.c.study_id == study_id) & (attempts.c.number == number)
    is_end &= attempts.c.ending == Outcome.COMPLETE.value
    connection.execute(attempts.update().where(is_end).values(reason=reason))


def _note(connection: Connection, study_id: int, key: str, value: Any) -> None:
    table = optuna_tables.study_user_attributes
    connection.execute(table.delete().where((table.c.study_id == study_id) & (table.c.key == key)))
    connection.execute(table.insert().values(study_id=study_id, key=key, value_json=json.dumps(value)))
