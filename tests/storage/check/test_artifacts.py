"""The check of files in artifacts: those that are missing, and those that nobody names."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.storage.study_fixture import StudyFixture
from tunefront.approvals import approve
from tunefront.storage import studies
from tunefront.storage.artifacts import rows, study_artifacts
from tunefront.storage.artifacts.artifact_store import digest_of, key_of
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.artifacts.rows import Artifact
from tunefront.storage.check.defect import Defect
from tunefront.storage.check.store_check import check_store
from tunefront.storage.outcomes import Outcome


class Place:
    """A study whose artifacts lie in a folder, with one trial that is complete and one that runs."""

    def __init__(self, fixture: StudyFixture, folder: Path) -> None:
        self.fixture, self.folder = fixture, folder
        self.artifacts = FolderArtifacts(folder / "place")
        study_artifacts.begin(fixture.study, str(folder / "place"))
        self.digests = [self._train("a model", is_complete=True), self._train("another model", is_complete=False)]

    def _train(self, content: str, *, is_complete: bool) -> str:
        leased = self.fixture.lease()
        number = leased[0].number
        digest = self.write(content)
        files = [Artifact(f"models/trial-{number}{ending}", digest, len(content)) for ending in (".json", ".keras")]
        assert rows.register(self.fixture.store, leased[0], files, (rows.MODELS,)) == []
        if is_complete:
            model = self.folder / "elsewhere/models" / f"trial-{number}.keras"
            assert self.fixture.finish(leased, Outcome.COMPLETE, model_path=str(model))
        return digest

    def write(self, content: str) -> str:
        source = self.folder / "source"
        source.write_text(content)
        self.artifacts.write(digest_of(source), source)
        return digest_of(source)

    def defects(self) -> list[Defect]:
        return check_store(self.fixture.store).defects


@pytest.fixture
def place(fixture: StudyFixture, tmp_path: Path) -> Place:
    studies.register_worker(fixture.study, "anna", "host-key", 7, {"host_name": socket.gethostname()})
    approve([], [tmp_path])  # as `run` does with what a person names
    return Place(fixture, tmp_path)


def test_a_model_in_artifacts_need_not_be_on_this_machine(place: Place) -> None:
    checked = check_store(place.fixture.store)
    assert checked.defects == []
    assert (checked.studies[0].models.n_here, checked.studies[0].models.n_elsewhere) == (0, 1)


def test_a_row_whose_file_is_missing_is_named_once_its_trial_has_ended(place: Place, tmp_path: Path) -> None:
    for digest in place.digests:  # the second one's trial runs: its file may be on its way
        place.artifacts.remove(digest)
    (found,) = place.defects()
    assert found.study == "digits"
    key = key_of(place.digests[0])
    assert found.what == (
        f"models/trial-0.json, models/trial-0.keras are missing in {place.artifacts.address}, "
        f"where they are {key}, {key}"
    )
    results = tmp_path / "elsewhere"
    again = results / "retrained/trial-0.keras"
    assert found.remedy.endswith(f"tunefront retrain digits 0, whose model {again} counts in its place")
    kept = results / "models/trial-0.keras"
    kept.parent.mkdir(parents=True)
    kept.write_text("another model")
    assert place.defects() == [found]
    kept.write_text("a model")
    other, same = place.defects()
    assert other.what.startswith("models/trial-0.json is missing in ")
    assert same.remedy == f"put it back: {kept} is the same file"
    again.parent.mkdir()
    again.touch()
    assert place.defects() == []


def test_files_that_nobody_names_are_counted_once_no_worker_is_at_work(place: Place) -> None:
    left = place.write("a model of a lost worker")
    assert place.defects() == []  # anna was seen a moment ago, and may be about to remove it
    place.fixture.expire("anna")
    place.fixture.sweep("anna")
    with place.fixture.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tunefront_workers SET seen_at = 0")
    (found,) = place.defects()
    assert found.what == f"1 of the 3 files in {place.artifacts.address} belong to no trial: {key_of(left)}"
    assert "remove them there" in found.remedy
    place.artifacts.remove(left)
    assert place.defects() == []


def test_a_place_that_is_away_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEFRONT_ARTIFACTS", "gs://bucket")
    (found,) = place.defects()
    assert found.what.startswith("the artifacts of digits: ")
    assert "TUNEFRONT_ARTIFACTS" in found.remedy
