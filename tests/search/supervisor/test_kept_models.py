from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.storage.study_fixture import StudyFixture
from tunefront.search.supervisor.kept_models import KeptModels


@pytest.fixture
def fixture(tmp_path: Path) -> StudyFixture:
    return StudyFixture.make(f"sqlite:///{tmp_path / 'tunefront.db'}")


def keep(models: KeptModels, fixture: StudyFixture) -> Path:
    """Keep the model of a complete trial; return its path."""
    leased = fixture.lease()
    models.partial_path(leased[0].number).write_bytes(b"model")
    path = models.publish(leased[0].number, {"class_names": ["cat", "dog"]})
    fixture.finish(leased, model_path=str(path))
    return path


def test_publish_gives_a_whole_model_its_name(fixture: StudyFixture, any_folder: Path) -> None:
    models = KeptModels(fixture.study, any_folder / "models")
    path = keep(models, fixture)
    assert path == (any_folder / "models" / "trial-0.keras").resolve()
    assert path.read_bytes() == b"model"
    assert sorted(file.name for file in (any_folder / "models").iterdir()) == ["trial-0.json", "trial-0.keras"]
    assert json.loads(path.with_suffix(".json").read_text()) == {"class_names": ["cat", "dog"]}


def test_nothing_is_left_when_a_model_cannot_be_given_its_name(fixture: StudyFixture, tmp_path: Path) -> None:
    models, folder = KeptModels(fixture.study, tmp_path / "models"), tmp_path / "models"
    partial = models.partial_path(0)
    partial.write_text("model")
    partial.with_suffix(".predictions.npz").write_text("answers")
    (folder / "trial-0.keras").mkdir()  # no file can have its name
    with pytest.raises(OSError, match="trial-0.keras"):
        models.publish(0, {})
    (folder / "trial-0.keras").rmdir()
    models.drop_partial(0)
    assert list(folder.iterdir()) == []


def test_drop_removes_only_the_models_of_beaten_trials(fixture: StudyFixture, tmp_path: Path) -> None:
    models = KeptModels(fixture.study, tmp_path / "models")
    paths = [keep(models, fixture) for _ in range(3)]
    strange = tmp_path / "models" / "trial-mine.keras"
    strange.touch()
    models.drop({0, 2})
    assert [path.exists() for path in paths] == [False, True, False]
    assert [path.with_suffix(".json").exists() for path in paths] == [False, True, False]
    assert strange.exists()
    assert [trial.model_path for trial in fixture.trials()] == ["", str(paths[1]), ""]


def test_what_tells_a_models_errors_follows_its_life(fixture: StudyFixture, tmp_path: Path) -> None:
    models, folder = KeptModels(fixture.study, tmp_path / "models"), tmp_path / "models"
    number = fixture.lease()[0].number
    partial = models.partial_path(number)
    for ending, content in ((".keras", "model"), (".predictions.npz", "answers"), (".worst.png", "picture")):
        partial.with_suffix(ending).write_text(content)
    (folder / "trial-0.worst.png").write_text("of an earlier attempt")
    path = models.publish(number, {})
    assert path.with_suffix(".predictions.npz").read_text() == "answers"
    assert path.with_suffix(".worst.png").read_text() == "picture"
    models.partial_path(number).write_text("the next attempt, with no mistake")
    models.publish(number, {})
    assert sorted(file.name for file in folder.iterdir()) == ["trial-0.json", "trial-0.keras"]
    for ending in (".predictions.npz", ".worst.png"):
        path.with_suffix(ending).touch()
        models.partial_path(1).with_suffix(ending).write_text("half")
    models.drop_partial(1)
    models.drop({number})
    assert list(folder.iterdir()) == []


def test_drop_when_nothing_was_kept_yet(fixture: StudyFixture, tmp_path: Path) -> None:
    KeptModels(fixture.study, tmp_path / "models").drop({0})
    assert not (tmp_path / "models").exists()


def test_drop_partial_when_there_is_none_and_when_there_is(fixture: StudyFixture, tmp_path: Path) -> None:
    models = KeptModels(fixture.study, tmp_path / "models")
    models.drop_partial(0)
    models.partial_path(0).write_bytes(b"half")
    models.drop_partial(0)
    assert list((tmp_path / "models").iterdir()) == []


def test_models_are_not_saved_through_links(fixture: StudyFixture, tmp_path: Path) -> None:
    models, theirs = KeptModels(fixture.study, tmp_path / "models"), tmp_path / "theirs"
    theirs.write_bytes(b"theirs")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / ".partial-0.keras").symlink_to(theirs)
    (tmp_path / "models" / "trial-0.keras").symlink_to(theirs)
    models.partial_path(0).write_bytes(b"ours")
    assert models.publish(0, {}).read_bytes() == b"ours"
    assert theirs.read_bytes() == b"theirs"
    (tmp_path / "models" / ".partial-1.keras").symlink_to(theirs)
    with pytest.raises(OSError, match="this is a link"):
        models.publish(1, {})


def test_a_folder_of_models_that_is_a_link_is_refused(fixture: StudyFixture, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "models").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="this is a link"):
        KeptModels(fixture.study, tmp_path / "models").partial_path(0)
