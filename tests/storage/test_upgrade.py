"""Databases of every released schema version can still be read, and their studies continued."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.storage.study_fixture import VALUES, StudyFixture
from tunefront.storage import answers, studies, trials
from tunefront.storage.answers import Answers
from tunefront.storage.artifacts import rows, study_artifacts
from tunefront.storage.artifacts.rows import Artifact
from tunefront.storage.control import processes, study_control
from tunefront.storage.control.wishes import StudyWish, Wish
from tunefront.storage.database.connection import open_store

ASSETS = Path(__file__).with_name("assets")
CPU = "a CPU, 2 threads"


@pytest.fixture(params=[1, 2, 3, 4, 5])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a copy of a database that a schema version wrote."""
    copy = tmp_path / f"schema-{request.param}.sqlite"
    shutil.copy(ASSETS / copy.name, copy)
    return f"sqlite:///{copy}"


def test_a_database_of_an_earlier_version_is_read(old_url: str) -> None:
    store = open_store(old_url)
    study = studies.find(store, "digits")
    assert study is not None
    found = trials.load(study)
    assert [trial.state for trial in found] == ["complete", "pruned", "failed", "waiting"]
    assert found[0].values == VALUES
    assert [epoch.epoch for epoch in found[0].epochs] == [1, 2]
    assert "adam.learning_rate" in found[0].parameters
    assert [trial.reason for trial in found[1:]] == ["epoch 1: dominated", "out of memory", "interrupted"]
    assert [worker.worker_id for worker in studies.list_workers(study)] == ["anna"]
    # Versions 1 and 2 knew nothing of checkpoints.
    parts = [(part.attempt, part.resumed_epochs, part.machine) for part in found[0].parts]
    assert parts == ([(1, 0, CPU), (2, 1, CPU)] if not old_url.endswith(("1.sqlite", "2.sqlite")) else [(1, 0, "")])
    # Versions 1 to 3 had no artifacts.
    model = Artifact("models/trial-0.keras", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 3)
    kept = ({0: [model]}, "s3://models/team") if old_url.endswith(("4.sqlite", "5.sqlite")) else ({}, "")
    assert (rows.read(study), study_artifacts.address_of(study)) == kept
    # Versions 1 to 4 knew no wishes, and are read as if there were none.
    control = study_control.read(study)
    wishes = (control.priority, control.wish, control.is_submitted, processes.list_processes(store))
    if old_url.endswith("5.sqlite"):
        assert wishes[:3] == (3, Wish(StudyWish.PAUSED, "anna@north"), True)
        assert [process.name for process in wishes[3]] == ["north-7"]
    else:
        assert wishes == (0, Wish(StudyWish.OPEN, ""), False, [])
    # Version 1 had no table of answers.
    expected = {} if old_url.endswith("1.sqlite") else {0: Answers(labels=[0, 1, 1], chosen=[0, 1, 0])}
    assert answers.load(study, "test") == expected


def test_a_study_of_an_earlier_version_goes_on(old_url: str) -> None:
    fixture = StudyFixture.make(old_url)
    lease, trial = fixture.lease("bert")
    assert (lease.number, lease.attempt) == (3, 2)
    assert fixture.finish((lease, trial))
