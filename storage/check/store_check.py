"""The check of a whole store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tunefront.storage import studies
from tunefront.storage.check.artifacts import find_artifact_defects
from tunefront.storage.check.defect import Defect
from tunefront.storage.check.kept_models import ModelCheck, check_models
from tunefront.storage.check.lost_trials import find_lost_trials
from tunefront.storage.check.orphans import find_orphans
from tunefront.storage.counts import Counts, count
from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store
from tunefront.storage.database.migration import stored_versions
from tunefront.storage.open_study import OpenStudy


@dataclass(frozen=True)
class StudyCheck:
    """A study's trials and kept models.

    Attributes:
        n_trials: The number of trials that it is to have.
    """

    name: str
    n_trials: int
    counts: Counts
    models: ModelCheck


@dataclass(frozen=True)
class StoreCheck:
    """What a store has, and what is wrong with it.

    Attributes:
        version: The version of tunefront's tables in it.
    """

    version: int
    studies: list[StudyCheck]
    defects: list[Defect]


def check_store(store: Store) -> StoreCheck:
    """Count and check everything in a store, also while workers are at work on it. Changes nothing.

    What takes workers several statements is looked at under their lock, for the short time that this takes.
    """
    version, defects = _check_versions(store)
    defects += _check_file(store)
    checked = []
    for study in studies.list_all(store):
        with _locked(store, study.study_id):
            defects += find_lost_trials(study)
        models = check_models(study)
        defects += models.defects
        checked.append(StudyCheck(study.name, _n_trials(study), count(study), models))
    defects += find_artifact_defects(store)
    with _locked(store, None):
        defects += find_orphans(store)
    return StoreCheck(version, checked, defects)


def _n_trials(study: OpenStudy) -> int:
    value: Any = study.record.spec.get("trials", 0)
    return int(value)


@contextlib.contextmanager
def _locked(store: Store, study_id: int | None) -> Iterator[None]:
    """Hold a lock, where this user may: whoever may only read an SQLite file looks without."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(store.exclusively(study_id))
        yield


def _check_versions(store: Store) -> tuple[int, list[Defect]]:
    with store.engine.connect() as connection:
        version, migrated = stored_versions(connection)
    if migrated is None or migrated == version:
        return version, []
    what = f"the storage says that its tables are of version {version}, and its changes are those up to {migrated}"
    return version, [Defect("", what, "an upgrade was cut off, or a restore: restore the last backup")]


def _check_file(store: Store) -> list[Defect]:
    if store.engine.dialect.name != "sqlite":
        return []
    with store.engine.connect() as connection:
        (said, *_) = connection.execute(sa.text("PRAGMA quick_check(1)")).scalars()
    if said == "ok":
        return []
    return [Defect("", f"the file is damaged: {' '.join(str(said).split())}", "restore the last backup")]


def is_older(check: StoreCheck) -> bool:
    """Return whether the tables are of an earlier version than this tunefront's."""
    return check.version < schema.VERSION
