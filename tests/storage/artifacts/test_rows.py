"""The rows that name artifacts: whose they are, what replaces them, and what may be removed."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.storage.study_fixture import DATASET, DIRECTIONS, METRICS, StudyFixture
from tunefront.reports.deletion import plan_deletion
from tunefront.storage import studies
from tunefront.storage.artifacts import rows, study_artifacts
from tunefront.storage.artifacts.artifact_store import ArtifactsAwayError, digest_of
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.artifacts.rows import Artifact
from tunefront.storage.attempts import Lease
from tunefront.storage.outcomes import Outcome

BOTH = (rows.MODELS, rows.LOGS)


def put(store: FolderArtifacts, folder: Path, content: str) -> str:
    """Write a text into the place, and return its digest."""
    source = folder / "source"
    source.write_text(content)
    store.prepare()
    store.write(digest_of(source), source)
    return digest_of(source)


def register(fixture: StudyFixture, lease: Lease, **digests: str) -> list[str] | None:
    """Register files by their kind: ``model``, ``log``."""
    names = {"model": f"models/trial-{lease.number}.keras", "log": f"logs/trial-{lease.number}.log"}
    files = [Artifact(names[kind], digest, 7) for kind, digest in digests.items()]
    return rows.register(fixture.store, lease, files, BOTH)


def test_files_of_a_trial_are_read_back_by_folder(fixture: StudyFixture) -> None:
    lease, _ = fixture.lease()
    assert register(fixture, lease, model="a" * 64, log="b" * 64) == []
    model = Artifact("models/trial-0.keras", "a" * 64, 7)
    assert rows.read(fixture.study) == {0: [model]}
    assert rows.read(fixture.study, BOTH) == {0: [Artifact("logs/trial-0.log", "b" * 64, 7), model]}
    assert rows.named(fixture.store) == {"a" * 64, "b" * 64}


def test_a_later_attempt_replaces_the_files_of_an_earlier_one(fixture: StudyFixture) -> None:
    first, _ = fixture.lease("anna")
    register(fixture, first, model="a" * 64, log="b" * 64)
    fixture.expire("anna")
    assert fixture.sweep() == [0]
    second, _ = fixture.lease("bert")
    assert register(fixture, second, log="c" * 64) == ["a" * 64, "b" * 64]
    assert rows.read(fixture.study, BOTH) == {0: [Artifact("logs/trial-0.log", "c" * 64, 7)]}


def test_who_has_lost_the_lease_registers_nothing(fixture: StudyFixture) -> None:
    first, _ = fixture.lease("anna")
    fixture.expire("anna")
    fixture.sweep()
    second, _ = fixture.lease("bert")
    register(fixture, second, model="b" * 64)
    assert register(fixture, first, model="a" * 64) is None
    assert rows.named(fixture.store) == {"b" * 64}


def test_the_models_of_some_trials_are_forgotten_and_their_logs_stay(fixture: StudyFixture) -> None:
    for letter in "abc":
        leased = fixture.lease()
        register(fixture, leased[0], model=letter * 64, log="0" * 64)
        fixture.finish(leased, model_path="/on another machine.keras")
    assert rows.forget(fixture.study, {0, 2, 9}) == ["a" * 64, "c" * 64]
    # The worker that kept the model may be lost, and nobody else sees its files.
    assert [trial.model_path for trial in fixture.trials()] == ["", "/on another machine.keras", ""]
    assert rows.forget(fixture.study, {0, 2, 9}) == []
    assert rows.named(fixture.store) == {"b" * 64, "0" * 64}


def test_only_what_no_study_names_is_removed(fixture: StudyFixture, tmp_path: Path) -> None:
    place = FolderArtifacts(tmp_path / "artifacts")
    shared, own = put(place, tmp_path, "in both"), put(place, tmp_path, "in one")
    other = StudyFixture.on(fixture.store, "other")
    register(fixture, fixture.lease()[0], model=own, log=shared)
    register(other, other.lease()[0], log=shared)
    rows.remove_unnamed(fixture.store, place, [shared, own])
    assert set(place.digests()) == {shared, own}
    rows.forget(fixture.study, [0], rows.LOGS)
    rows.forget(fixture.study, [0], rows.MODELS)
    rows.remove_unnamed(fixture.store, place, [shared, own])
    assert set(place.digests()) == {shared}


def finished_with(fixture: StudyFixture, place: FolderArtifacts, digest: str) -> None:
    leased = fixture.lease()
    register(fixture, leased[0], model=digest)
    fixture.finish(leased, Outcome.COMPLETE, model_path="/elsewhere/models/trial-0.keras")
    study_artifacts.begin(fixture.study, place.address)


def test_deleting_one_of_two_studies_leaves_what_the_other_one_names(fixture: StudyFixture, tmp_path: Path) -> None:
    place = FolderArtifacts(tmp_path / "artifacts")
    shared = put(place, tmp_path, "in both")
    other = StudyFixture.on(fixture.store, "other")
    finished_with(fixture, place, shared)
    finished_with(other, place, shared)
    for doomed, left in ((fixture, [shared]), (other, [])):
        found = studies.find(doomed.store, doomed.study.name)
        assert found is not None
        deletion = plan_deletion(found, tmp_path / "results", has_results=False)
        assert f"This removes 1 file in {place.address} (7 B)" in deletion.describe()
        assert deletion.carry_out(["anna"]) == []
        assert list(place.digests()) == left


def test_a_study_is_deleted_although_its_artifacts_are_away_and_says_so(fixture: StudyFixture, tmp_path: Path) -> None:
    place = FolderArtifacts(tmp_path / "artifacts")
    finished_with(fixture, place, put(place, tmp_path, "model"))
    (tmp_path / "artifacts").rename(tmp_path / "aside")
    (tmp_path / "artifacts").write_text("a file")
    (problem,) = plan_deletion(fixture.study, tmp_path / "results", has_results=False).carry_out(["anna"])
    assert "Not a directory" in problem
    assert studies.find(fixture.store, "digits") is None


def test_a_file_is_not_removed_while_another_one_brings_the_same(fixture: StudyFixture, tmp_path: Path) -> None:
    """Whoever removes looks whether a row names the file; the row of one that is on its way is written before."""
    place, same = FolderArtifacts(tmp_path / "artifacts"), "same"
    digest = put(place, tmp_path, same)
    lease, _ = fixture.lease()
    order: list[str] = []

    class SlowPlace(FolderArtifacts):
        def remove(self, digest: str) -> None:
            bringing.start()  # it registers while this one is about to remove, and has to wait for that
            bringing.join(0.3)
            order.append("removed")
            super().remove(digest)

    def bring() -> None:
        register(fixture, lease, model=digest)
        order.append("registered")
        if not place.exists(digest):
            put(place, tmp_path, same)

    bringing = threading.Thread(target=bring)
    rows.remove_unnamed(fixture.store, SlowPlace(Path(place.address)), [digest])
    bringing.join()
    assert order == ["removed", "registered"]
    assert list(place.digests()) == [digest]
    rows.remove_unnamed(fixture.store, place, [digest])
    assert list(place.digests()) == [digest]


def test_a_studys_place_is_stored_and_goes_on_without_being_named(fixture: StudyFixture, tmp_path: Path) -> None:
    assert study_artifacts.begin(fixture.study, "") is None
    assert study_artifacts.artifacts_of(fixture.study) is None
    begun = study_artifacts.begin(fixture.study, str(tmp_path / "artifacts"))
    found = StudyFixture.on(fixture.store).study
    again, read = study_artifacts.begin(found, ""), study_artifacts.artifacts_of(found)
    assert {place.address for place in (begun, again, read) if place is not None} == {str(tmp_path / "artifacts")}


def test_another_place_is_taken_only_when_all_of_the_studys_files_are_there(
    fixture: StudyFixture, tmp_path: Path
) -> None:
    old, new = (FolderArtifacts(tmp_path / name) for name in ("old", "new"))
    study_artifacts.begin(fixture.study, old.address)
    digests: Collection[str] = [put(old, tmp_path, content) for content in ("model", "log")]
    leased = fixture.lease()
    register(fixture, leased[0], model=digests[0], log=digests[1])
    fixture.finish(leased)
    register(
        fixture, fixture.lease()[0], model="a" * 64
    )  # never came, as on a full disk, and is brought to the new one
    put(new, tmp_path, "log")
    with pytest.raises(ArtifactsAwayError, match="lacks 1 of the 2 files that study 'digits' has in .*old: copy all"):
        study_artifacts.begin(fixture.study, new.address)
    assert study_artifacts.stored_address(fixture.study) == old.address
    put(new, tmp_path, "model")
    study_artifacts.begin(fixture.study, new.address)
    assert study_artifacts.stored_address(fixture.study) == new.address


def test_the_variable_goes_before_the_stored_place(
    fixture: StudyFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEFRONT_ARTIFACTS", "s3://models/here")
    assert study_artifacts.address_of(fixture.study) == ""  # a study without artifacts has none there either
    study_artifacts.begin(fixture.study, str(tmp_path / "artifacts"))
    assert study_artifacts.address_of(fixture.study) == "s3://models/here"


def test_the_variable_is_this_machines_name_and_does_not_replace_the_stored_one(
    fixture: StudyFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, mounted = tmp_path / "place", tmp_path / "mounted"
    study_artifacts.begin(fixture.study, str(place))
    digest = put(FolderArtifacts(place), tmp_path, "model")
    register(fixture, fixture.lease()[0], model=digest)
    mounted.symlink_to(place)
    monkeypatch.setenv("TUNEFRONT_ARTIFACTS", str(mounted))
    for given in ("", str(mounted)):  # a command's option takes the variable too
        begun = study_artifacts.begin(fixture.study, given)
        assert begun is not None
        assert (begun.address, begun.exists(digest)) == (str(mounted), True)
        assert study_artifacts.stored_address(fixture.study) == str(place)
    spec = {**fixture.record.spec, "name": "digits.confirmation", "confirms": "digits"}
    confirmation = studies.create(fixture.store, "digits.confirmation", spec, DATASET, DIRECTIONS, METRICS)
    study_artifacts.begin(confirmation, str(mounted))
    assert study_artifacts.stored_address(confirmation) == str(place)


def test_a_place_that_lost_all_of_the_studys_files_is_noticed(fixture: StudyFixture, tmp_path: Path) -> None:
    place = FolderArtifacts(tmp_path / "place")
    study_artifacts.begin(fixture.study, place.address)
    leased = fixture.lease()
    digest = put(place, tmp_path, "model")
    register(fixture, leased[0], model=digest)
    fixture.finish(leased)
    assert study_artifacts.find_emptiness(fixture.study, place) == ""
    register(fixture, fixture.lease()[0], model="a" * 64)  # on its way
    place.remove(digest)
    found = study_artifacts.find_emptiness(fixture.study, place)
    assert "place has none of the 1 files that study 'digits' has put there" in found
