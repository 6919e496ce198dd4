"""What people wish, as a worker reads it in one query that does not grow with trials."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store


class StudyWish(enum.StrEnum):
    """What a person wishes of a study."""

    OPEN = "open"
    PAUSED = "paused"  # no trial is leased; what runs goes on to its end
    PAUSED_NOW = "paused now"  # what runs is given back, too
    STOPPED = "stopped"  # the study is over, until a person opens it again

    @property
    def gives_back(self) -> bool:
        """Whether trials that run are to be given back to the queue."""
        return self in (StudyWish.PAUSED_NOW, StudyWish.STOPPED)


@dataclass(frozen=True)
class Wish:
    """What a person wishes of a study.

    Attributes:
        by: Who, as ``user@host``, which nobody has checked; empty if nobody did.
    """

    of_study: StudyWish = StudyWish.OPEN
    by: str = ""


@dataclass(frozen=True)
class Wishes:
    """What people wish of a process, of the studies that it works on, and of their trials.

    Attributes:
        drained_by: Who told the process to end; empty if nobody did.
        studies: Study's key -> the wish; a study that was deleted is missing.
        made_at: Study's key -> when the study was made, in which it differs from a deleted one that had its key.
        cancelled: Study's key -> number of a trial that is to end -> who wishes it.
    """

    drained_by: str = ""
    studies: Mapping[int, Wish] = field(default_factory=dict)
    cancelled: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    made_at: Mapping[int, float] = field(default_factory=dict)


def wishes_for(store: Store, process_id: str, study_ids: Collection[int]) -> Wishes:
    """Read what people wish of a process, of these studies, and of their trials."""
    processes, studies, cancellations = schema.processes, schema.studies, schema.cancellations
    of_process = sa.select(
        sa.literal("process").label("what"),
        sa.literal(0).label("study_id"),
        sa.literal(0).label("number"),
        sa.literal("").label("wish"),
        processes.c.wished_by.label("by"),
        sa.literal(0.0).label("made_at"),
    ).where((processes.c.process_id == process_id) & processes.c.is_draining)
    of_studies = sa.select(
        sa.literal("study"),
        studies.c.study_id,
        sa.literal(0),
        studies.c.wish,
        studies.c.wished_by,
        studies.c.created_at,
    ).where(studies.c.study_id.in_(study_ids))
    of_trials = sa.select(
        sa.literal("trial"),
        cancellations.c.study_id,
        cancellations.c.number,
        sa.literal(""),
        cancellations.c.wished_by,
        sa.literal(0.0),
    ).where(cancellations.c.study_id.in_(study_ids))
    with store.engine.connect() as connection:
        rows = connection.execute(sa.union_all(of_process, of_studies, of_trials)).all()
    cancelled: dict[int, dict[int, str]] = {}
    for row in rows:
        if row.what == "trial":
            cancelled.setdefault(row.study_id, {})[row.number] = row.by
    return Wishes(
        drained_by=next((row.by or "somebody" for row in rows if row.what == "process"), ""),
        studies={row.study_id: Wish(StudyWish(row.wish), row.by) for row in rows if row.what == "study"},
        cancelled=cancelled,
        made_at={row.study_id: row.made_at for row in rows if row.what == "study"},
    )
