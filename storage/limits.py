"""Other limits for a study: what is stored of its finished trials is a view of what was measured, and follows.

Optuna refuses changes of finished trials, so its tables are written here. The caller holds the store's lock and knows
that nobody runs the study: Optuna's studies that are open elsewhere keep the finished trials that they have read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import Connection

from tunefront.objectives.limits import Objective, broken_limit, read_objectives, violations
from tunefront.objectives.measures import known_early
from tunefront.storage import constraints, counts, queue
from tunefront.storage.database import optuna_tables, schema
from tunefront.storage.database.connection import Store
from tunefront.storage.measurements import load_measurements
from tunefront.storage.outcomes import Outcome
from tunefront.storage.studies import StudyRecord

CHANGES = "limit_changes"  # user attribute of a study: each change, in words
# Another: number of a stopped trial -> measure -> the best that it could have ended with. A list of constraints has no
# place for what was predicted of a measure without a limit, and that limit may come back.
PREDICTED_ENDS = "predicted_ends"

_Objectives = Sequence[Objective]
_Values = Mapping[str, float]  # by measure


def change(store: Store, study: StudyRecord, spec: Mapping[str, Any]) -> list[int]:
    """Save `spec`, which has other limits, and rewrite what was stored under the old ones: all of it, or nothing.

    What a complete trial breaks is told by its values. Of one that was stopped, that is what its built model told, and
    where its end was predicted to break a limit, that prediction.

    Returns:
        Numbers of the trials that were stopped for a limit and would no longer be.
    """
    old, new = (list(read_objectives(each).values()) for each in (study.spec, spec))
    optuna_study = study.optuna_study(store)
    trials = optuna_study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    measurements = load_measurements(store, study.study_id)
    noted = optuna_study.user_attrs.get(PREDICTED_ENDS, {})
    ends = {
        str(trial.number): {**_predicted_ends(trial, old), **noted.get(str(trial.number), {})}
        for trial in trials
        if trial.state == TrialState.PRUNED
    }
    broken = {
        trial.number: violations(new, _values(trial, new))
        if trial.state == TrialState.COMPLETE
        else _violations_of_stopped(new, ends[str(trial.number)], measurements.get(trial.number, {}))
        for trial in trials
    }
    refused = counts.refused(store, study.study_id)
    note = {
        "n_finished": len({trial.number for trial in trials} - refused),
        "before": _describe(old),
        "after": _describe(new),
    }
    notes = [*optuna_study.user_attrs.get(CHANGES, []), note]  # read before the transaction, which locks SQLite
    with store.engine.begin() as connection:
        lists = {number: constraints.as_list(new, found) for number, found in broken.items()}
        constraints.rewrite(connection, study.study_id, lists)
        _rewrite_reasons(connection, study.study_id, trials, old, new)
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


def _values(trial: FrozenTrial, objectives: _Objectives) -> dict[str, float]:
    return dict(zip((each.measure.name for each in objectives), trial.values, strict=True))


def _predicted_ends(trial: FrozenTrial, objectives: _Objectives) -> dict[str, float]:
    """What the constraints of a stopped trial tell of its end, by measure."""
    predicted = constraints.by_measure(trial, objectives)
    return {
        each.measure.name: each.best_limit + _sign(each) * predicted[each.measure.name]
        for each in objectives
        # 0 stands for what was not known, and a prediction is of the best end: it can break one limit alone.
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
    connection: Connection, study_id: int, trials: Sequence[FrozenTrial], old: _Objectives, new: _Objectives
) -> None:
    """Say of complete trials which limit they break now; whatever else is said of one stays."""
    for trial in trials:
        if trial.state == TrialState.COMPLETE:
            before, after = (broken_limit(each, _values(trial, each)) for each in (old, new))
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
