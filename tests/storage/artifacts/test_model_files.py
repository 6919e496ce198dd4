"""Models that are brought from artifacts into a results folder on this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.storage.study_fixture import StudyFixture
from tunefront.storage import folder_owner
from tunefront.storage.artifacts import rows, study_artifacts
from tunefront.storage.artifacts.artifact_store import key_of
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.artifacts.model_files import ModelFiles, bring_models
from tunefront.storage.artifacts.rows import Artifact
from tunefront.storage.folder_owner import FolderTakenError


@pytest.fixture
def place(tmp_path: Path) -> FolderArtifacts:
    return FolderArtifacts(tmp_path / "artifacts")


def keep(fixture: StudyFixture, place: FolderArtifacts, out: Path) -> None:
    """Complete a trial whose model, card and log lie in the folder `out` of another machine, and in the artifacts."""
    study_artifacts.begin(fixture.study, place.address)
    leased = fixture.lease()
    number = leased[0].number
    files = []
    for name in (f"models/trial-{number}.keras", f"models/trial-{number}.json", f"logs/trial-{number}.log"):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        files.append(Artifact(name, digest, path.stat().st_size))
        place.write(digest, path)
    rows.register(fixture.store, leased[0], files, ("models", "logs"))
    fixture.finish(leased, model_path=str(out / f"models/trial-{number}.keras"))


def files_in(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != folder_owner.OWNER_FILE)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


MODEL_0 = {f"models/trial-0.{ending}": f"content of models/trial-0.{ending}" for ending in ("keras", "json")}
MODEL_1 = {f"models/trial-1.{ending}": f"content of models/trial-1.{ending}" for ending in ("keras", "json")}


def test_models_of_another_machine_are_brought(fixture: StudyFixture, place: FolderArtifacts, tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    keep(fixture, place, there)
    keep(fixture, place, there)
    there.rename(tmp_path / "unreachable")
    files = ModelFiles(fixture.study, here)
    assert [trial.model_path for trial in files.here(fixture.trials())] == [
        str(there / "models/trial-0.keras"),
        str(there / "models/trial-1.keras"),
    ]
    brought = files.bring(fixture.trials()[1:])
    assert [trial.model_path for trial in brought] == [str(here / "models/trial-1.keras")]
    assert files_in(here) == MODEL_1
    assert bring_models(fixture.study, here) == []
    assert files_in(here) == MODEL_0 | MODEL_1
    # Whoever reads later finds them without the artifacts.
    (tmp_path / "artifacts").rename(tmp_path / "away")
    found = ModelFiles(fixture.study, here).here(fixture.trials())
    assert [trial.model_path for trial in found] == [str(here / f"models/trial-{number}.keras") for number in (0, 1)]


def test_models_that_are_here_are_left_alone(fixture: StudyFixture, place: FolderArtifacts, tmp_path: Path) -> None:
    keep(fixture, place, tmp_path / "own")
    (tmp_path / "own/models/trial-0.json").write_text("a person's notes")
    assert bring_models(fixture.study, tmp_path / "here") == []
    assert not (tmp_path / "here").exists()
    (trial,) = ModelFiles(fixture.study, tmp_path / "here").bring(fixture.trials())
    assert trial.model_path == str(tmp_path / "own/models/trial-0.keras")


def test_only_what_is_wanted_is_brought(fixture: StudyFixture, place: FolderArtifacts, tmp_path: Path) -> None:
    keep(fixture, place, tmp_path / "there")
    (tmp_path / "there").rename(tmp_path / "unreachable")
    bring_models(fixture.study, tmp_path / "here", (".json",))
    assert files_in(tmp_path / "here") == {name: text for name, text in MODEL_0.items() if name.endswith("json")}


def test_another_file_at_the_path_of_the_other_machine_is_not_taken_for_the_model(
    fixture: StudyFixture, place: FolderArtifacts, tmp_path: Path
) -> None:
    keep(fixture, place, tmp_path / "same path")
    (tmp_path / "same path/models/trial-0.keras").write_text("another study's")
    (trial,) = ModelFiles(fixture.study, tmp_path / "here").bring(fixture.trials())
    assert Path(trial.model_path).read_text() == "content of models/trial-0.keras"


def test_a_folder_of_another_study_is_refused(fixture: StudyFixture, place: FolderArtifacts, tmp_path: Path) -> None:
    keep(fixture, place, tmp_path / "there")
    (tmp_path / "there").rename(tmp_path / "unreachable")
    folder_owner.claim(tmp_path / "here", StudyFixture.on(fixture.store, "other").record)
    with pytest.raises(FolderTakenError, match="'other'"):
        bring_models(fixture.study, tmp_path / "here")
    assert files_in(tmp_path / "here") == {}


def test_a_changed_model_is_named_and_the_others_come(
    fixture: StudyFixture, place: FolderArtifacts, tmp_path: Path
) -> None:
    keep(fixture, place, tmp_path / "there")
    keep(fixture, place, tmp_path / "there")
    (tmp_path / "there").rename(tmp_path / "unreachable")
    model = next(file for file in rows.read(fixture.study)[0] if file.name.endswith(".keras"))
    (Path(place.address) / key_of(model.digest)).write_text("other content")
    (problem,) = bring_models(fixture.study, tmp_path / "here")
    assert problem.startswith("the model of trial 0 is not here: trial-0.keras in ")
    assert key_of(model.digest) in problem
    assert files_in(tmp_path / "here") == {**MODEL_1, "models/trial-0.json": MODEL_0["models/trial-0.json"]}


def test_artifacts_that_are_away_are_one_line(fixture: StudyFixture, place: FolderArtifacts, tmp_path: Path) -> None:
    keep(fixture, place, tmp_path / "there")
    keep(fixture, place, tmp_path / "there")
    (tmp_path / "there").rename(tmp_path / "unreachable")
    (tmp_path / "artifacts").rename(tmp_path / "away")
    (problem,) = bring_models(fixture.study, tmp_path / "here")
    assert problem == (
        f"models that are not on this machine are not here: {place.address} cannot be read: No such file or directory"
    )
