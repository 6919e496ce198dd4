"""The owner of a results folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.storage.study_fixture import StudyFixture
from tunefront.storage import studies
from tunefront.storage.folder_owner import OWNER_FILE, FolderTakenError, check_owned, check_owner, claim
from tunefront.storage.open_study import StudyRecord


@pytest.fixture
def study(tmp_path: Path) -> StudyRecord:
    return StudyFixture.make(f"sqlite:///{tmp_path / 'tunefront.db'}").record


@pytest.fixture
def namesake(tmp_path: Path) -> StudyRecord:
    """A study of the same name in another store."""
    return StudyFixture.make(f"sqlite:///{tmp_path / 'other.db'}").record


def test_a_folder_is_the_first_study_s_that_claims_it(any_folder: Path, study: StudyRecord) -> None:
    folder = any_folder / "results" / "digits"
    check_owner(folder, None, "digits")
    assert not folder.exists()
    claim(folder, study)
    claim(folder, study)
    check_owner(folder, study, "digits")
    assert [path.name for path in folder.iterdir()] == [OWNER_FILE]


def test_another_study_is_refused_whatever_its_name_is(
    tmp_path: Path, study: StudyRecord, namesake: StudyRecord
) -> None:
    folder = tmp_path / "results"
    claim(folder, study)
    before = (folder / OWNER_FILE).read_bytes()
    for other, which in (
        (namesake, "another study named 'digits'"),
        (replace(study, name="letters"), "the study 'digits'"),
    ):
        for refused in (
            lambda other=other: claim(folder, other),
            lambda other=other: check_owner(folder, other, other.name),
        ):
            with pytest.raises(FolderTakenError, match=f"results holds the results of {which}, made 20.* UTC.*--out"):
                refused()
    with pytest.raises(FolderTakenError, match="another study named 'digits'"):
        check_owner(folder, None, "digits")  # the study is not made yet, so the folder's owner is another one
    assert (folder / OWNER_FILE).read_bytes() == before


def test_a_study_keeps_its_folder_when_its_store_is_moved_or_copied(tmp_path: Path) -> None:
    fixture = StudyFixture.make(f"sqlite:///{tmp_path / 'tunefront.db'}")
    claim(tmp_path / "results", fixture.record)
    fixture.store.engine.dispose()
    for move in (shutil.copy, shutil.move):
        place = tmp_path / f"{move.__name__}.db"
        move(tmp_path / "tunefront.db", place)
        moved = StudyFixture.make(f"sqlite:///{place}")
        moved.finish(moved.lease())
        found = studies.find(moved.store, "digits")
        assert found is not None
        claim(tmp_path / "results", found.record)


def test_models_that_nobody_claimed_are_not_a_new_study_s(tmp_path: Path, study: StudyRecord) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "trial-3.keras").touch()
    with pytest.raises(FolderTakenError, match="has models of a study that is not in this storage"):
        check_owner(tmp_path, None, "digits")
    check_owner(tmp_path, study, "digits")  # an older tunefront wrote these models and no owner file


NO_OWNERS = ("", "[]", "{}", '{"study": "digits", "made_at": "once"}', '{"study": "digits", "made_at": NaN}')


@pytest.mark.parametrize("text", [*NO_OWNERS, '{"study": "digits", "made_at": 1e300}', "[" * 100_000])
def test_an_owner_that_cannot_be_read_is_nobody_s(tmp_path: Path, study: StudyRecord, text: str) -> None:
    (tmp_path / OWNER_FILE).write_text(text)
    with pytest.raises(FolderTakenError, match=r"study\.json should name the study .* cannot be read"):
        claim(tmp_path, study)
    assert (tmp_path / OWNER_FILE).read_text() == text


@pytest.mark.timeout(120)
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_an_owner_that_is_no_file_is_nobody_s(tmp_path: Path, study: StudyRecord, make: Callable[[Path], None]) -> None:
    make(tmp_path / OWNER_FILE)
    with pytest.raises(FolderTakenError, match=r"study\.json should name the study .* cannot be read"):
        claim(tmp_path, study)


def test_a_folder_that_nobody_claimed_is_not_known_to_be_the_study_s(tmp_path: Path, study: StudyRecord) -> None:
    with pytest.raises(FolderTakenError, match=r"has no study\.json .* 'tunefront report digits' into this folder"):
        check_owned(tmp_path, study)
    claim(tmp_path, study)
    check_owned(tmp_path, study)
