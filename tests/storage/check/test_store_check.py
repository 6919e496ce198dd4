"""The check of a store: each kind of damage is named, and a store at work has none."""

from __future__ import annotations

import re
import shutil
import socket
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import optuna
import pytest
import sqlalchemy as sa

from tests.storage.conftest import dispose
from tests.storage.stub_worker import StubWork, run_stub_study
from tests.storage.study_fixture import StudyFixture, epoch
from tunefront.storage import curves, studies
from tunefront.storage.check.defect import Defect
from tunefront.storage.check.store_check import check_store, is_older
from tunefront.storage.database import schema
from tunefront.storage.database.connection import open_store
from tunefront.storage.database.migration import VERSION_TABLE
from tunefront.storage.outcomes import Outcome

ASSETS = Path(__file__).parents[1] / "assets"


def defects(fixture: StudyFixture) -> list[Defect]:
    return check_store(fixture.store).defects


def execute(fixture: StudyFixture, statement: sa.Executable) -> None:
    with fixture.store.engine.begin() as connection:
        connection.execute(statement)


def test_counts_are_exact_when_nothing_is_wrong(fixture: StudyFixture) -> None:
    for outcome in (
        Outcome.COMPLETE,
        Outcome.PRUNED,
        Outcome.REFUSED,
        Outcome.FAILED,
        Outcome.CANCELLED,
        Outcome.COMPLETE,
    ):
        fixture.finish(fixture.lease(), outcome)
    running = fixture.lease()
    curves.append(fixture.store, running[0], epoch(1))
    fixture.study.optuna.enqueue_trial({})
    checked = check_store(fixture.store)
    assert checked.defects == []
    assert checked.version == schema.VERSION
    (study,) = checked.studies
    assert (study.name, study.n_trials) == ("digits", 4)
    assert asdict(study.counts) == {
        **{"complete": 2, "pruned": 1, "refused": 1, "failed": 1},
        **{"running": 1, "waiting": 1, "cancelled": 1},
    }
    assert (study.models.n_here, study.models.n_elsewhere) == (0, 0)


def test_a_lease_that_ran_out_is_named_with_its_worker(fixture: StudyFixture) -> None:
    fixture.lease("bert")
    fixture.lease("anna")
    studies.register_worker(fixture.study, "anna", "host-key", 7, {"host_name": "north"})
    with fixture.store.engine.begin() as connection:
        is_annas = schema.leases.c.worker_id == "anna"
        ran_out = schema.leases.update().where(is_annas).values(expires_at=schema.database_now() - 75.4)
        connection.execute(ran_out)
    (found,) = defects(fixture)
    assert found.study == "digits"
    assert found.what.startswith("the lease on trial 1 ran out ")
    assert ": worker anna on north was lost" in found.what
    assert "'tunefront run'" in found.remedy
    assert found.remedy.endswith("Run it there first: a result may wait in the results folder's spool")
    fixture.sweep("anna")
    assert defects(fixture) == []


def test_a_running_trial_without_a_lease_is_named(fixture: StudyFixture) -> None:
    fixture.lease()
    fixture.lease()
    execute(fixture, schema.leases.delete().where(schema.leases.c.number == 1))
    (found,) = defects(fixture)
    assert found.what.startswith("trial 1 is said to run, and nobody has a lease on it")
    assert fixture.sweep() == [1]  # what the remedy says a run does
    assert defects(fixture) == []


def test_rows_of_a_study_that_was_deleted_elsewhere_are_counted(fixture: StudyFixture) -> None:
    other = StudyFixture.on(fixture.store, "deleted")
    leased = other.lease()
    for number in (1, 2):
        curves.append(other.store, leased[0], epoch(number))
    optuna.delete_study(study_name="deleted", storage=fixture.store.optuna)
    (found,) = defects(fixture)
    assert found.study == ""
    assert found.what.endswith(
        "are left: 1 in tunefront_attempts, 2 in tunefront_epochs, 1 in tunefront_leases, 1 in tunefront_studies"
    )
    StudyFixture.on(fixture.store, "new")  # the remedy
    assert defects(fixture) == []


def test_rows_of_trials_that_are_not_there_are_counted(fixture: StudyFixture) -> None:
    fixture.finish(fixture.lease())
    row = {"study_id": fixture.record.study_id, "number": 1}
    for number in (1, 2, 3):
        values = {**row, "epoch": number, "accuracy": 0.5, "train_seconds": 1.0, "validation_seconds": 1.0}
        execute(fixture, schema.epochs.insert().values(**values, metrics="{}"))
    execute(fixture, schema.measurements.insert().values(**row, name="accuracy", value=0.5))
    (found,) = defects(fixture)
    assert found.study == "digits"
    assert found.what == "rows of trials that are not there: 3 in tunefront_epochs, 1 in tunefront_measurements"


def test_a_kept_model_that_is_missing_is_named_where_it_was_trained(fixture: StudyFixture, tmp_path: Path) -> None:
    for folder in ("models", "retrained"):
        (tmp_path / folder).mkdir()
    (tmp_path / "models/there.keras").touch()
    for worker, host in (("anna", socket.gethostname()), ("bert", "another-machine")):
        studies.register_worker(fixture.study, worker, "host-key", 7, {"host_name": host})
        for name in ("there", "missing"):
            fixture.finish(fixture.lease(worker), model_path=str(tmp_path / f"models/{name}.keras"))
    fixture.finish(
        fixture.lease("carl"), model_path=str(tmp_path / "models/missing.keras")
    )  # a worker that is not known
    checked = check_store(fixture.store)
    (found,) = checked.defects
    assert found.what == f"the kept model of trial 1 is not where it was put: {tmp_path / 'models/missing.keras'}"
    again = tmp_path / "retrained/missing.keras"
    assert found.remedy.endswith(f"tunefront retrain digits 1, whose model {again} counts in its place")
    assert (checked.studies[0].models.n_here, checked.studies[0].models.n_elsewhere) == (2, 2)
    again.touch()
    checked = check_store(fixture.store)
    assert checked.defects == []


def test_tables_of_two_versions_are_named(tmp_path: Path, sqlite_template: Path) -> None:
    fixture = StudyFixture.make(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'tunefront.db')}")
    execute(fixture, sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '0001'"))
    (found,) = defects(fixture)
    assert found.what == (
        f"the storage says that its tables are of version {schema.VERSION}, and its changes are those up to 1"
    )
    dispose(fixture.store)


def test_an_older_store_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEFRONT_ARTIFACTS", str(tmp_path))  # in place of a bucket, which is not asked
    (tmp_path / "README.txt").touch()
    for asset in sorted(ASSETS.glob("schema-*.sqlite")):
        path = shutil.copy(asset, tmp_path / asset.name)
        checked = check_store(open_store(f"sqlite:///{path}"))
        # Their workers and the files of their models are long gone.
        gone = re.compile("the lease on trial|the kept model of trial|(models|logs)/.* (is|are) missing in")
        assert [defect.what for defect in checked.defects if not gone.match(defect.what)] == []
        assert asset.stem == f"schema-{checked.version}"
        assert is_older(checked) == (checked.version < schema.VERSION)


def test_a_damaged_file_is_named(tmp_path: Path, sqlite_template: Path) -> None:
    path = Path(shutil.copy(sqlite_template, tmp_path / "tunefront.db"))
    fixture = StudyFixture.make(f"sqlite:///{path}")
    with fixture.store.engine.connect() as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'tunefront_answers'"
        page = int(connection.execute(sa.text(query)).scalar_one())
        page_bytes = int(connection.execute(sa.text("PRAGMA page_size")).scalar_one())
    dispose(fixture.store)
    with path.open("r+b") as file:
        file.seek((page - 1) * page_bytes)
        file.write(b"\xff" * page_bytes)
    (found,) = check_store(open_store(f"sqlite:///{path}")).defects
    assert found.what.startswith("the file is damaged: ")
    assert found.remedy == "restore the last backup"


@pytest.mark.slow
def test_nothing_is_wrong_while_workers_are_at_work(url: str, tmp_path: Path) -> None:
    work = StubWork(url, "", 24, tmp_path, time.time(), trial_seconds=0.05)
    dispose(StudyFixture.make(url).store)
    workers = [threading.Thread(target=run_stub_study, args=(replace(work, worker_id=name),)) for name in "abc"]
    for worker in workers:
        worker.start()
    store, found, n_running = open_store(url), [], 0
    while any(worker.is_alive() for worker in workers):  # also if something is found: they work until they are done
        checked = check_store(store)
        found += checked.defects
        n_running = max(n_running, checked.studies[0].counts.running)
    assert found == []
    assert n_running > 0
    (study,) = check_store(store).studies
    assert (study.counts.finished, study.counts.running) == (24, 0)
    dispose(store)
