"""The files of kept models, as far as this machine can see them."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tunefront.storage.artifacts.rows import read
from tunefront.storage.check.defect import Defect
from tunefront.storage.database import schema
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome


@dataclass(frozen=True)
class ModelCheck:
    """The kept models of a study.

    Attributes:
        n_here: Those whose files are on this machine, or were lost and are trained again.
        n_elsewhere: Those whose files are not here: another machine has trained them, or they lie in artifacts.
    """

    n_here: int
    n_elsewhere: int
    defects: list[Defect]


def check_models(study: OpenStudy) -> ModelCheck:
    """Look for the file of each kept model; of those that this machine has trained, each must be there."""
    n_here, n_elsewhere, defects = 0, 0, []
    brought = read(study)  # what lies in artifacts is fetched from there, see `artifacts.py`
    for number, (path, host) in sorted(_kept(study).items()):
        if Path(path).exists() or retrained_path(path).exists():
            n_here += 1
        elif host != socket.gethostname() or number in brought:
            n_elsewhere += 1
        # A model that is beaten is forgotten first, and removed then. So whoever still has it in the store lacks it.
        elif _kept(study, number).get(number) == (path, host):
            what = f"the kept model of trial {number} is not where it was put: {path}"
            remedy = f"put it back, or train it again: {describe_retraining(study.name, number, path)}"
            defects.append(Defect(study.name, what, remedy))
    return ModelCheck(n_here, n_elsewhere, defects)


def retrained_path(path: str) -> Path:
    """Return where `tunefront retrain` puts the model of a trial whose kept model is, or was, at `path`."""
    return Path(path).parents[1] / "retrained" / Path(path).name


def describe_retraining(study: str, number: int, path: str) -> str:
    """Return the command that trains a lost model again, and where that goes."""
    return f"tunefront retrain {study} {number}, whose model {retrained_path(path)} counts in its place"


def kept_paths(study: OpenStudy) -> dict[int, str]:
    """Read where kept models are, or were when their trials ended: trial number -> path."""
    return {number: path for number, (path, _) in _kept(study).items()}


def _kept(study: OpenStudy, number: int | None = None) -> dict[int, tuple[str, str]]:
    """Read the kept models: trial number -> path, and the name of the machine that trained it."""
    attempts, workers = schema.attempts, schema.workers
    is_kept = (
        (attempts.c.study_id == study.study_id)
        & (attempts.c.ending == Outcome.COMPLETE)
        & (attempts.c.model_path != "")
    )
    if number is not None:
        is_kept &= attempts.c.number == number
    query = (
        sa.select(attempts.c.number, attempts.c.model_path, workers.c.machine)
        .join_from(attempts, workers, attempts.c.worker_id == workers.c.worker_id, isouter=True)
        .where(is_kept)
    )
    with study.store.engine.connect() as connection:
        rows = connection.execute(query).all()
    return {row.number: (row.model_path, json.loads(row.machine or "{}").get("host_name", "")) for row in rows}
