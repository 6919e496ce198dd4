"""What a trial has inherited, as far as its training still has it."""

from __future__ import annotations

import json

from sqlalchemy.engine import Connection

from tunefront.storage.database import optuna_tables
from tunefront.storage.population import stages


def keep_until(connection: Connection, study_id: int, number: int, epoch: int) -> None:
    """Note that a trial trains on after an epoch, whatever weights it inherited later: those stages are its own now."""
    table = optuna_tables.trial_user_attributes
    is_course = table.c.trial_id.in_(optuna_tables.trial_ids(study_id, [number])) & (table.c.key == stages.KEY)
    stored = connection.execute(table.select().where(is_course)).one_or_none()
    if stored is None:
        return
    course = stages.read({stages.KEY: json.loads(stored.value_json)})
    own = stages.own_after(course, epoch)
    if own != course:
        content = json.dumps(stages.as_json(own))
        connection.execute(table.update().where(is_course).values(value_json=content))
