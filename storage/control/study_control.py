"""Steering studies: their priority, whether they are open, paused or stopped, and which any worker may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tunefront.storage.control.wishes import StudyWish, Wish
from tunefront.storage.database import optuna_tables, schema
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy

_FIRST_VERSION = 5  # of the tables that have what this module reads
_NO_WISH = Wish()


@dataclass(frozen=True)
class StudyControl:
    """What is wished of a study, and what a worker needs to choose fairly among studies.

    Attributes:
        priority: Higher is first.
        created_at: In seconds on the database's clock, like `wished_at`.
        wished_at: When the wish was made; None without one.
        is_submitted: Whether workers of any study may take it.
        is_over: Whether a worker found that the study needs no further trial.
        n_running: The trials that are leased to any worker now.
        n_lost: The trials whose worker has not renewed their lease in time; they are still to be given back.
    """

    study_id: int
    name: str
    priority: int = 0
    created_at: float = 0.0
    wish: Wish = _NO_WISH
    wished_at: float | None = None
    is_submitted: bool = False
    is_over: bool = False
    n_running: int = 0
    n_lost: int = 0

    @property
    def is_open(self) -> bool:
        """Whether any worker may take a trial of it."""
        return self.is_submitted and not self.is_over and self.wish.of_study is StudyWish.OPEN


def read_all(store: Store) -> dict[int, StudyControl]:
    """Read what is wished of every study: its key -> what; one query, whose cost does not grow with trials."""
    studies, leases = schema.studies, schema.leases
    is_valid = leases.c.expires_at >= schema.database_now()
    running = (
        sa.select(
            leases.c.study_id, sa.func.count().label("n"), sa.func.sum(sa.case((is_valid, 1), else_=0)).label("n_valid")
        )
        .group_by(leases.c.study_id)
        .subquery()
    )
    query = (
        sa.select(
            *(column for column in studies.c if column.name not in ("spec", "dataset")),
            sa.func.coalesce(running.c.n_valid, 0).label("n_running"),
            sa.func.coalesce(running.c.n - running.c.n_valid, 0).label("n_lost"),
        )
        # A study that was deleted in the dashboard leaves tunefront's row behind, and its number may be used again.
        .join_from(
            studies,
            optuna_tables.studies,
            (optuna_tables.studies.c.study_id == studies.c.study_id)
            & (optuna_tables.studies.c.study_name == studies.c.name),
        )
        .join(running, running.c.study_id == studies.c.study_id, isouter=True)
        .order_by(studies.c.priority.desc(), studies.c.study_id)
    )
    with store.engine.connect() as connection:
        if not _has_columns(connection):  # an older tunefront made the tables, and a reader changes nothing
            return {}
        rows = connection.execute(query).all()
    return {
        row.study_id: StudyControl(
            row.study_id,
            row.name,
            row.priority,
            row.created_at,
            Wish(StudyWish(row.wish), row.wished_by),
            row.wished_at,
            bool(row.is_submitted),
            bool(row.is_over),
            int(row.n_running),  # PostgreSQL and MySQL have sums as decimal numbers
            int(row.n_lost),
        )
        for row in rows
    }


def read(study: OpenStudy) -> StudyControl:
    """Read what is wished of a study; nothing in a store that an older tunefront made."""
    return read_all(study.store).get(study.study_id) or StudyControl(study.study_id, study.name)


def open_studies(store: Store) -> list[StudyControl]:
    """Read the studies that any worker may take a trial of: by priority, then the oldest first."""
    return [each for each in read_all(store).values() if each.is_open]


def submit(study: OpenStudy) -> None:
    """Let any worker take trials of the study."""
    _set(study, is_submitted=True, is_over=False)


def note_over(study: OpenStudy, *, is_over: bool = True) -> None:
    """Store whether the study needs no further trial, so that workers leave it until it is submitted again."""
    _set(study, is_over=is_over)


def set_priority(study: OpenStudy, priority: int) -> None:
    """Give the study a priority; workers take trials of studies with a higher one first."""
    _set(study, priority=priority)


def pause(study: OpenStudy, by: str, *, now: bool = False) -> None:
    """Let workers take no trial of the study; what runs goes on, or with `now` is given back to the queue.

    Args:
        by: Who wishes it, as ``user@host``.
    """
    _wish(study, StudyWish.PAUSED_NOW if now else StudyWish.PAUSED, by)


def stop(study: OpenStudy, by: str) -> None:
    """End the study: what runs is given back to the queue, and workers leave it."""
    _wish(study, StudyWish.STOPPED, by)


def resume(study: OpenStudy, by: str) -> None:
    """Open a paused or stopped study again; whether it needs further trials is found out anew."""
    _wish(study, StudyWish.OPEN, by, is_over=False)


def _wish(study: OpenStudy, wish: StudyWish, by: str, **more: Any) -> None:
    _set(study, wish=wish.value, wished_at=schema.database_now(), wished_by=by, **more)


def _set(study: OpenStudy, **values: Any) -> None:
    with study.store.engine.begin() as connection:
        is_study = (schema.studies.c.study_id == study.study_id) & (schema.studies.c.name == study.name)
        connection.execute(schema.studies.update().where(is_study).values(**values))


def _has_columns(connection: Connection) -> bool:
    return (connection.execute(sa.select(schema.schema_version.c.version)).scalar() or 0) >= _FIRST_VERSION
