"""The tables of Optuna's that tunefront writes to itself, where Optuna has no function for it.

Columns that have been there since Optuna 3.0; its own classes for them are private.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

trials = sa.table("trials", sa.column("trial_id"), sa.column("study_id"), sa.column("number"))
trial_user_attributes = sa.table(
    "trial_user_attributes", sa.column("trial_id"), sa.column("key"), sa.column("value_json")
)
trial_system_attributes = sa.table(
    "trial_system_attributes", sa.column("trial_id"), sa.column("key"), sa.column("value_json")
)
trial_intermediate_values = sa.table("trial_intermediate_values", sa.column("trial_id"))
study_user_attributes = sa.table(
    "study_user_attributes", sa.column("study_id"), sa.column("key"), sa.column("value_json")
)


def trial_ids(study_id: int, numbers: Collection[int]) -> sa.Select[int]:
    """A query for the keys that Optuna's tables have for trials of a study."""
    return sa.select(trials.c.trial_id).where((trials.c.study_id == study_id) & trials.c.number.in_(numbers))
