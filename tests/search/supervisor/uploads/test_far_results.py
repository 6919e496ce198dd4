"""Results that lie in artifacts because the store was away, and whose machine is lost before the store is back."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.search.stub_trials import StubTrial
from tests.search.supervisor.outage_fixture import (
    WAITS,
    AwaySwitch,
    check_each_trained_once,
    lines_with,
    make,
    spooled,
)
from tests.search.supervisor_fixture import SupervisorFixture
from tunefront.search.supervisor.contact.sweeper import take_over_left
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage.artifacts import rows
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.check.artifacts import find_artifact_defects
from tunefront.storage.database import schema
from tunefront.storage.database.optuna_tables import study_user_attributes

pytestmark = pytest.mark.usefixtures("fork_server")
LEFT = "trial {}: complete: its result, which its lost worker left in the artifacts, is delivered"


def make_machine(folder: Path, name: str, n_trials: int, n_slots: int = 1) -> SupervisorFixture:
    """Make a supervisor with a results folder of its own, whose artifacts all machines reach."""
    plan = {number: StubTrial(pause_seconds=0.1) for number in range(n_trials)}
    waits = replace(WAITS, lease_seconds=1.0)
    machine = make(folder, name, f"sqlite:///{folder / 'tunefront.db'}", plan, n_trials, waits)
    artifacts = FolderArtifacts(folder / "artifacts")
    artifacts.prepare()
    machine.study.optuna.set_user_attr("artifacts", artifacts.address)
    machine.artifacts, machine.n_slots = artifacts, n_slots
    return machine


def far_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("artifacts/spool/digits/*"))


def run_until_lost(machine: SupervisorFixture, n_results: int) -> None:
    """Train while the store is away, from the trials' start on, until the artifacts have so many results; then end."""
    switch = AwaySwitch(machine.store.engine)

    def look() -> bool:
        switch.is_away |= len(list(machine.notes.glob("*.pid"))) == n_results
        return len(far_files(machine.folder.parent)) == n_results

    assert machine.run(look) is Ending.INTERRUPTED
    machine.out.rename(machine.folder / "off")
    switch.is_away = False
    assert machine.states() == ["running"] * n_results


@pytest.mark.timeout(60)
def test_a_supervisor_that_runs_delivers_what_a_lost_machine_left_in_the_artifacts(tmp_path: Path) -> None:
    anna = make_machine(tmp_path, "anna", 1)
    run_until_lost(anna, 1)
    (path,) = far_files(tmp_path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert json.loads(json.loads(path.read_text())["result"])["measurements"]["accuracy"] == 0.7

    bert = make_machine(tmp_path, "bert", 1)
    assert bert.run() is Ending.DONE
    check_each_trained_once([anna, bert], 1)
    assert not list(bert.notes.glob("*.pid"))
    assert lines_with(bert, "artifacts") == [LEFT.format(0)]
    assert far_files(tmp_path) == []
    assert find_artifact_defects(bert.store) == []
    names = {file.name for files in rows.read(bert.study, ("models", "logs")).values() for file in files}
    assert names == {"models/trial-0.keras", "models/trial-0.json", "logs/trial-0.log"}


def expire_at(machine: SupervisorFixture, seconds: float) -> None:
    with machine.store.engine.begin() as connection:
        connection.execute(schema.leases.update().values(expires_at=seconds))
        connection.execute(schema.workers.update().values(seen_at=min(seconds, time.time())))


@pytest.mark.timeout(60)
def test_a_supervisor_that_starts_delivers_what_is_open_and_refuses_what_is_late(tmp_path: Path) -> None:
    anna = make_machine(tmp_path, "anna", 2, n_slots=2)
    run_until_lost(anna, 2)
    anna.study.optuna.tell(1, state=TrialState.FAIL)  # by a person
    content = json.dumps({"made_at": 1.5, "result": "{}", "files": []})
    stranger = tmp_path / "artifacts/spool/digits" / hashlib.sha256(content.encode()).hexdigest()
    stranger.write_text(content)  # of a study of the same name in another storage
    torn = stranger.with_name("e" * 64)
    torn.write_text("{")
    model = hashlib.sha256(b"model of trial 0").hexdigest()
    (tmp_path / f"artifacts/sha/{model[:2]}/{model}").unlink()

    bert, lines = make_machine(tmp_path, "bert", 2), list[str]()
    expire_at(anna, 1e11)  # she may tell the store herself
    take_over_left(bert.study, bert.out, lines.append, bert.artifacts)
    assert len(far_files(tmp_path)) == 4
    (line,) = lines
    assert f"{tmp_path}/artifacts/spool/digits/{torn.name} cannot be used: " in line

    lines.clear()
    expire_at(anna, 0.0)
    (waiting,) = find_artifact_defects(anna.store)  # models and logs belong to the waiting results
    where = f"{tmp_path / 'artifacts'}/spool/digits"
    assert waiting.what == f"2 results wait in {where}: the storage was away"
    take_over_left(bert.study, bert.out, lines.append, bert.artifacts)
    assert far_files(tmp_path) == sorted([torn, stranger])
    assert sorted(lines[1:]) == [
        LEFT.format(0) + ", without models/trial-0.keras",
        "trial 1: a result in the artifacts is refused: another worker has taken the trial over, or a person ended it",
    ]
    first, second = bert.trials()
    assert (first.state, first.values, first.model_path) == ("complete", (0.7, 1000.0, 3.0), "")
    assert [(epoch.epoch, epoch.accuracy) for epoch in first.epochs] == [(1, 0.5), (2, 0.6), (3, 0.7)]
    assert second.state == "failed"


@pytest.mark.timeout(60)
def test_a_worker_that_tells_the_store_itself_leaves_nothing_in_the_spool_of_the_artifacts(tmp_path: Path) -> None:
    anna = make_machine(tmp_path, "anna", 1)
    switch, seen = AwaySwitch(anna.store.engine), set[str]()

    def look() -> bool:
        seen.update(path.name for path in far_files(tmp_path))
        switch.is_away = not seen and bool(list(anna.notes.glob("*.pid")))
        return False

    assert anna.run(look) is Ending.DONE
    check_each_trained_once([anna], 1)
    assert len(seen) == 1
    assert (far_files(tmp_path), spooled(anna)) == ([], [])
    assert find_artifact_defects(anna.store) == []


@pytest.mark.timeout(60)
def test_a_supervisor_uses_the_artifacts_that_another_one_names_later(tmp_path: Path) -> None:
    anna = make_machine(tmp_path, "anna", 3)
    assert anna.artifacts is not None
    address, anna.artifacts = anna.artifacts.address, None
    with anna.store.engine.begin() as connection:
        connection.execute(study_user_attributes.delete())

    def look() -> bool:
        if list(anna.notes.glob("*.pid")):
            anna.study.optuna.set_user_attr("artifacts", address)
        return False

    assert anna.run(look) is Ending.DONE
    assert "models/trial-2.keras" in {file.name for file in rows.read(anna.study)[2]}
    assert hashlib.sha256(b"model of trial 2").hexdigest() in set(FolderArtifacts(Path(address)).digests())
    assert lines_with(anna, "models and logs are brought to") == [
        f"models and logs are brought to {address}, which another worker named"
    ]
