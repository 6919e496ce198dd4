"""Trials of a study that nobody works on, although they are said to run."""

from __future__ import annotations

import sqlalchemy as sa
from optuna.trial import TrialState

from tunefront.storage import studies
from tunefront.storage.attempts import read_leases
from tunefront.storage.check.defect import Defect
from tunefront.storage.database import optuna_tables
from tunefront.storage.open_study import OpenStudy

_REMEDY = "any 'tunefront run' that works on the study gives the trial back, and tries it again"


def find_lost_trials(study: OpenStudy) -> list[Defect]:
    """Find running trials without a lease, and leases that have run out. The caller holds the study's lock."""
    table = optuna_tables.trials
    query = sa.select(table.c.number, table.c.state).where(table.c.study_id == study.study_id).order_by(table.c.number)
    with study.store.engine.connect() as connection:
        running = [row.number for row in connection.execute(query) if row.state == TrialState.RUNNING.name]
    leases, now = read_leases(study), studies.database_time(study.store)
    hosts = {worker.worker_id: worker.machine.get("host_name", worker.host) for worker in studies.list_workers(study)}
    found = [
        Defect(study.name, f"trial {number} is said to run, and nobody has a lease on it: its worker was lost", _REMEDY)
        for number in running
        if number not in leases
    ]
    for number, lease in sorted(leases.items()):
        if lease.is_expired:
            host = hosts.get(lease.worker_id)
            what = (
                f"the lease on trial {number} ran out {now - lease.expires_at:.0f} s ago: worker {lease.worker_id}"
                f"{f' on {host}' if host else ''} was lost, or does not reach the storage"
            )
            spool = ". Run it there first: a result may wait in the results folder's spool" if host else ""
            found.append(Defect(study.name, what, f"{_REMEDY}{spool}"))
    return found
