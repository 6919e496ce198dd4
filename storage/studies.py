"""Studies: name, spec and dataset of each are stored, so that a worker needs only the URL."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
import sqlalchemy as sa
from optuna.exceptions import ExperimentalWarning

from tunefront.objectives.measures import Direction
from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store
from tunefront.storage.database.locks import StoreError
from tunefront.storage.open_study import OpenStudy, StudyRecord

WRITTEN_SPEC = "written_spec"  # user attribute of a study: the keys that its first spec was written with


# Columns that tables of all versions have: what a reader finds may have been made by an older tunefront.
_RECORD = [schema.studies.c[name] for name in ("study_id", "name", "spec", "dataset", "created_at")]


def find(store: Store, name: str) -> OpenStudy | None:
    """Return the study of that name, or None."""
    return next((study for study in list_all(store) if study.name == name), None)


def list_all(store: Store) -> list[OpenStudy]:
    """Read every tunefront study in the store, oldest first. Optuna studies without a spec are left out."""
    names = _names(store)
    with store.engine.connect() as connection:
        rows = connection.execute(sa.select(*_RECORD).order_by(schema.studies.c.study_id)).all()
    return [
        OpenStudy(store, _record(names[row.study_id], row))
        for row in rows
        # A study that was deleted in the dashboard leaves tunefront's row behind, and its number may be used again.
        if names.get(row.study_id) == row.name
    ]


def _record(name: str, row: sa.Row[Any]) -> StudyRecord:
    return StudyRecord(row.study_id, name, json.loads(row.spec), json.loads(row.dataset), row.created_at)


def create(
    store: Store,
    name: str,
    spec: Mapping[str, Any],
    dataset: Mapping[str, Any],
    directions: Sequence[Direction],
    metric_names: Sequence[str],
) -> OpenStudy:
    """Make the study, or return the one that another worker made in the meantime.

    Raises:
        StoreError: If the storage has an Optuna study of that name that tunefront did not make.
    """
    with store.exclusively():
        existing = find(store, name)
        if existing is not None:
            return existing
        _forget_deleted(store)
        study = optuna.create_study(
            study_name=name, storage=store.optuna, directions=list(directions), load_if_exists=True
        )
        if list(study.directions) != [_optuna_direction(direction) for direction in directions] or study.get_trials(
            False
        ):
            raise StoreError(
                f"the storage already has a study named {name!r} that tunefront did not make. "
                "Give this one another name in the spec, or use another --storage"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)  # set_metric_names, since Optuna 3.2
            study.set_metric_names(list(metric_names))
        study_id = store.optuna.get_study_id_from_name(name)
        with store.engine.begin() as connection:
            connection.execute(
                schema.studies.insert().values(
                    study_id=study_id,
                    name=name,
                    spec=json.dumps(spec),
                    dataset=json.dumps(dataset),
                    created_at=schema.database_now(),
                )
            )
    created = find(store, name)
    assert created is not None
    return created


def update_spec(study: OpenStudy, spec: Mapping[str, Any]) -> None:
    """Save a spec that differs only in what may change between runs, such as the number of trials."""
    with study.store.engine.begin() as connection:
        connection.execute(
            schema.studies.update().where(schema.studies.c.study_id == study.study_id).values(spec=json.dumps(spec))
        )


def check_limits(study: OpenStudy) -> None:
    """Refuse to go on under limits that the study no longer has.

    Raises:
        StoreError: Says how to go on.
    """
    with study.store.reading() as connection:
        spec = connection.execute(
            sa.select(schema.studies.c.spec).where(
                (schema.studies.c.study_id == study.study_id) & (schema.studies.c.name == study.name)
            )
        ).scalar()
    if spec is not None and _limiting(json.loads(spec)) != _limiting(study.record.spec):
        raise StoreError(
            f"the limits of study {study.name!r} were changed while this run was out of reach for longer than a lease "
            "lasts. Start it again with the spec file that the others have"
        )


def _limiting(spec: Mapping[str, Any]) -> list[Any]:
    """Return the parts of a spec that hold limits; a study that an older tunefront began has only the first."""
    return [spec["objectives"], spec.get("limits") or {}, (spec.get("deploy") or {}).get("device")]


def register_worker(
    study: OpenStudy, worker_id: str, host: str, pid: int, machine: Mapping[str, Any], process_id: str = ""
) -> None:
    """Record a supervisor that works on the study, with its hardware, versions and slots.

    Args:
        process_id: The process that it is part of, see `tunefront.storage.control.processes`.
    """
    now = schema.database_now()
    with study.store.engine.begin() as connection:
        connection.execute(
            schema.workers.insert().values(
                worker_id=worker_id,
                study_id=study.study_id,
                host=host,
                pid=pid,
                machine=json.dumps(machine),
                started_at=now,
                seen_at=now,
                process_id=process_id,
            )
        )


@dataclass(frozen=True)
class WorkerRecord:
    """A supervisor that works or worked on a study; times in seconds on the database's clock."""

    worker_id: str
    host: str
    pid: int
    machine: Mapping[str, Any]
    started_at: float
    seen_at: float


def list_workers(study: OpenStudy) -> list[WorkerRecord]:
    """Read every supervisor that the study ever had, oldest first."""
    columns = [schema.workers.c[name] for name in WorkerRecord.__dataclass_fields__]
    query = sa.select(*columns).where(schema.workers.c.study_id == study.study_id)
    with study.store.engine.connect() as connection:
        rows = connection.execute(query.order_by(schema.workers.c.started_at)).all()
    return [
        WorkerRecord(row.worker_id, row.host, row.pid, json.loads(row.machine), row.started_at, row.seen_at)
        for row in rows
    ]


def database_time(store: Store) -> float:
    """Return the seconds since the epoch on the database's clock, like the times of workers."""
    with store.engine.connect() as connection:
        return float(connection.execute(sa.select(schema.database_now())).scalar_one())


def _names(store: Store) -> dict[int, str]:
    return {store.optuna.get_study_id_from_name(name): name for name in optuna.get_all_study_names(store.optuna)}


def _optuna_direction(direction: Direction) -> optuna.study.StudyDirection:
    return optuna.study.StudyDirection[direction.upper()]


def _forget_deleted(store: Store) -> None:
    """Delete our rows of studies that were deleted through Optuna, because SQLite uses their numbers again."""
    alive = list(_names(store))
    with store.engine.begin() as connection:
        for table in schema.metadata.tables.values():
            if "study_id" in table.c:
                connection.execute(table.delete().where(table.c.study_id.not_in(alive)))


def workers_at_work(study: OpenStudy) -> list[WorkerRecord]:
    """Return the supervisors that hold a valid lease of the study, or were seen within a lease's time, oldest first."""
    leases, lease_seconds = schema.leases, study.store.waits.lease_seconds
    is_valid = (leases.c.study_id == study.study_id) & (leases.c.expires_at >= schema.database_now())
    with study.store.engine.connect() as connection:
        now = float(connection.execute(sa.select(schema.database_now())).scalar_one())
        holders = set(connection.execute(sa.select(leases.c.worker_id).where(is_valid)).scalars())
    return [
        worker for worker in list_workers(study) if worker.worker_id in holders or worker.seen_at > now - lease_seconds
    ]


def delete(store: Store, doomed: Sequence[OpenStudy], ended_workers: Collection[str] = ()) -> None:
    """Delete studies with everything stored of them, in Optuna's tables too. Files stay.

    Args:
        ended_workers: Supervisors that are known to have ended, although they were seen a moment ago.

    Raises:
        StoreError: If one of the studies is being worked on; then nothing is deleted.
    """
    with store.exclusively():
        for study in doomed:
            check_idle(study, ended_workers)
        for study in doomed:
            # Optuna's study is deleted first. Should this process die in between, the rows left in our tables belong to
            # no study, and are deleted when the next study is made.
            if _names(store).get(study.study_id) == study.name:
                optuna.delete_study(study_name=study.name, storage=store.optuna)
        _forget_deleted(store)


def check_idle(study: OpenStudy, ended_workers: Collection[str] = ()) -> None:
    """Refuse a study that is being worked on.

    Raises:
        StoreError: Names the process and its machine.
    """
    at_work = [worker for worker in workers_at_work(study) if worker.worker_id not in ended_workers]
    if at_work:
        worker = at_work[0]
        raise StoreError(
            f"the study {study.name!r} is being worked on, by process {worker.pid} on "
            f"{worker.machine.get('host_name', worker.host)}: end that with Ctrl-C there. One that was lost counts as "
            f"ended after {study.store.waits.lease_seconds:.0f} s"
        )
