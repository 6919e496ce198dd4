"""Checkpoints that are brought to artifacts, for other machines to go on from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from tests.search.checkpointed_trials import StubTraining, follow_with_checkpoints
from tests.search.supervisor.outage_fixture import WAITS, lines_with, on_statement
from tests.search.supervisor.uploads.uploaded_files import make_fixture
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.checkpoints.checkpoint_file import write_checkpoint
from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints
from tunefront.search.checkpoints.trial_folder import folder_of
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.uploads.far_checkpoints import upload_checkpoint
from tunefront.storage import queue, studies
from tunefront.storage.artifacts import rows
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.attempts import Progress
from tunefront.storage.outcomes import Outcome

pytestmark = pytest.mark.usefixtures("fork_server")


SIX = [(epoch, epoch / 10) for epoch in range(1, 7)]


def make_machine(folder: Path, name: str, url: str, plan: Mapping[int, StubTraining], place: Path) -> SupervisorFixture:
    """Make a supervisor whose trial writes checkpoints, with a results folder of its own."""
    (folder / name).mkdir()
    spec = make_spec(trials=1, objectives={"time": False}, training={"epochs": 6, "time_limit": 1e4})
    artifacts = FolderArtifacts(place)
    artifacts.prepare()
    made = SupervisorFixture(
        folder / name, spec, plan, url, worker_id=name, waits=WAITS, trains=follow_with_checkpoints, artifacts=artifacts
    )
    studies.register_worker(made.study, name, f"host of {name}", 1, {})
    return made


def epochs_trained(fixture: SupervisorFixture) -> list[int]:
    notes = fixture.notes / "0.epochs"
    return [int(epoch) for epoch in notes.read_text().split()] if notes.exists() else []


def checkpoint_of(fixture: SupervisorFixture) -> int:
    """Return the epoch of the trial's newest checkpoint that the store has been told of."""
    trials = fixture.trials()
    return trials[0].parts[-1].checkpoint_epochs if trials else 0


@pytest.mark.timeout(90)
def test_a_trial_goes_on_from_a_checkpoint_of_another_machine(tmp_path: Path) -> None:
    url, place = f"sqlite:///{tmp_path / 'tunefront.db'}", tmp_path / "artifacts"
    anna = make_machine(tmp_path, "anna", url, {0: StubTraining(stops_after=(3,))}, place)

    assert anna.run(lambda: checkpoint_of(anna) == 3) is Ending.INTERRUPTED
    anna.out.rename(tmp_path / "anna is off")
    bert = make_machine(tmp_path, "bert", url, {}, place)
    assert bert.run() is Ending.DONE
    (trial,) = bert.trials()
    assert [(epoch.epoch, epoch.accuracy) for epoch in trial.epochs] == SIX
    assert (epochs_trained(anna), epochs_trained(bert)) == ([1, 2, 3], [4, 5, 6])
    assert lines_with(bert, "goes on") == ["trial 0 goes on after epoch 3 of 6"]
    assert trial.measurements["train_seconds"] == 6 + 21 / 8  # the sum of what the epochs say
    assert rows.read(bert.study, ("checkpoints",)) == {}  # it has ended for good
    assert set(FolderArtifacts(place).digests()) == rows.named(bert.store)


@pytest.mark.timeout(90)
def test_a_changed_checkpoint_of_another_machine_is_named_and_the_trial_begins_anew(tmp_path: Path) -> None:
    url, place = f"sqlite:///{tmp_path / 'tunefront.db'}", tmp_path / "artifacts"
    anna = make_machine(tmp_path, "anna", url, {0: StubTraining(stops_after=(2,))}, place)
    assert anna.run(lambda: checkpoint_of(anna) == 2) is Ending.INTERRUPTED
    for files in rows.read(anna.study, ("checkpoints",)).values():
        for file in files:
            path = place / f"sha/{file.digest[:2]}/{file.digest}"
            path.write_bytes(path.read_bytes()[:-7])
    bert = make_machine(tmp_path, "bert", url, {}, place)
    assert bert.run() is Ending.DONE
    assert epochs_trained(bert) == [1, 2, 3, 4, 5, 6]
    (line,) = lines_with(bert, "a checkpoint of another machine is not used: ")
    assert "has changed since it was written" in line
    assert [(epoch.epoch, epoch.accuracy) for epoch in bert.trials()[0].epochs] == SIX


@pytest.mark.timeout(90)
def test_the_checkpoint_before_counts_when_the_newest_one_of_another_machine_is_missing(tmp_path: Path) -> None:
    """As when its machine was lost after it had said that it brings it."""
    url, place = f"sqlite:///{tmp_path / 'tunefront.db'}", tmp_path / "artifacts"
    anna = make_machine(tmp_path, "anna", url, {0: StubTraining(stops_after=(3,))}, place)
    assert anna.run(lambda: checkpoint_of(anna) == 3) is Ending.INTERRUPTED
    folder = anna.out / "checkpoints/trial-0"
    older, newer = (next(folder.glob(f"{n_epochs}-*")) for n_epochs in (2, 3))
    (row,) = rows.read(anna.study, ("checkpoints",))[0]
    assert row.name.endswith(newer.name)
    with anna.study.exclusively():
        leased = queue.lease_next(anna.study, 1, "anna", "cpu0", progress=lambda number, n: Progress(3, 3))
    assert leased is not None
    digest = hashlib.sha256(older.read_bytes()).hexdigest()
    before = rows.Artifact(f"checkpoints/trial-0/{older.name}", digest, older.stat().st_size)
    rows.register(anna.store, leased[0], [before], ())
    anna.artifacts.write(digest, older)
    anna.artifacts.remove(row.digest)
    queue.finish(anna.study, leased[0], Outcome.RETURNED)
    anna.out.rename(tmp_path / "anna is off")
    bert = make_machine(tmp_path, "bert", url, {}, place)
    assert bert.run() is Ending.DONE
    assert epochs_trained(bert) == [3, 4, 5, 6]
    assert len(lines_with(bert, "a checkpoint of another machine is not used: ")) == 1
    assert [(epoch.epoch, epoch.accuracy) for epoch in bert.trials()[0].epochs] == SIX


def test_a_checkpoint_that_is_rotated_away_before_it_is_brought_has_no_row(tmp_path: Path) -> None:
    fixture = make_fixture(tmp_path, trials=1)
    artifacts = FolderArtifacts(tmp_path / "artifacts")
    with fixture.study.exclusively():
        leased = queue.lease_next(fixture.study, 1, "anna", "cpu0")
    assert leased is not None
    brings = partial(
        upload_checkpoint, fixture.study, artifacts, lease=leased[0], epoch=9,
        checkpoints=StudyCheckpoints(fixture.out, False, lambda number: []),
    )  # fmt: skip
    folder = folder_of(fixture.out, 0)
    first, second = (write_checkpoint(folder, CheckpointHeader(n_epochs, n_epochs, {}), {}, []) for n_epochs in (1, 2))
    path = folder / second.file_name
    brings(epoch=1)
    with on_statement(fixture.store.engine, "INSERT INTO tunefront_artifacts", path.unlink) as found:
        brings()
    assert found  # its row was written before its process had newer ones
    (row,) = rows.read(fixture.study, ("checkpoints",))[0]
    assert (row.digest, set(artifacts.digests())) == (first.digest, {first.digest})
