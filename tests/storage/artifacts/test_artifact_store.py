"""What every place for artifacts promises, by looking at its bytes with another program."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.storage.artifacts.place_fixture import PlaceFixture
from tunefront.storage.artifacts.artifact_store import (
    ArtifactsAwayError,
    ChangedArtifactError,
    MissingArtifactError,
    bring,
    digest_of,
    fetch,
)

# The SHA-256 of "abc", from the standard's own example (FIPS 180-2, appendix B.1).
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
KEY = f"sha/ba/{ABC}"


@pytest.fixture
def abc(tmp_path: Path) -> Path:
    path = tmp_path / "abc.txt"
    path.write_bytes(b"abc")
    return path


def test_the_digest_of_a_file_is_its_sha256(tmp_path: Path, abc: Path) -> None:
    assert digest_of(abc) == ABC
    large = tmp_path / "large"
    large.write_bytes(b"x" * 3_000_001)
    assert digest_of(large) == hashlib.sha256(b"x" * 3_000_001).hexdigest()


def test_a_file_lies_under_its_digest_and_comes_back(place: PlaceFixture, tmp_path: Path, abc: Path) -> None:
    assert not place.store.exists(ABC)
    place.store.write(ABC, abc)
    place.store.write(ABC, abc)  # by another machine
    assert place.store.exists(ABC)
    assert {key: content for key, content in place.content().items() if key != "README.txt"} == {KEY: b"abc"}
    assert list(place.store.digests()) == [ABC]
    fetch(place.store, ABC, tmp_path / "back.txt")
    assert (tmp_path / "back.txt").read_bytes() == b"abc"


def test_a_folder_has_files_of_its_own(place: PlaceFixture, tmp_path: Path, abc: Path) -> None:
    place.store.write(ABC, abc, "spool/digits")
    place.store.write(ABC, abc, "spool/digits-2")
    assert {key for key in place.content() if key != "README.txt"} == {
        f"spool/digits/{ABC}",
        f"spool/digits-2/{ABC}",
    }
    assert (list(place.store.digests()), list(place.store.digests("spool/digits"))) == ([], [ABC])
    fetch(place.store, ABC, tmp_path / "back.txt", "spool/digits")
    assert (tmp_path / "back.txt").read_bytes() == b"abc"
    place.store.remove(ABC, "spool/digits-2")
    assert {key for key in place.content() if key != "README.txt"} == {f"spool/digits/{ABC}"}


def test_a_file_of_many_parts_comes_back(place: PlaceFixture, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40_000  # 10 MB: boto3 sends such a file in parts
    (tmp_path / "model").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    place.store.write(digest, tmp_path / "model")
    fetch(place.store, digest, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content


def test_a_removed_file_is_gone_and_can_be_removed_again(place: PlaceFixture, tmp_path: Path, abc: Path) -> None:
    place.store.write(ABC, abc)
    place.store.remove(ABC)
    place.store.remove(ABC)
    assert not place.store.exists(ABC)
    assert list(place.content()) == ["README.txt"]
    with pytest.raises(MissingArtifactError, match=KEY):
        fetch(place.store, ABC, tmp_path / "back.txt")
    assert not (tmp_path / "back.txt").exists()


@pytest.mark.parametrize("found", [b"ab", b"", b"abd", b"abcabc"], ids=["torn", "empty", "changed", "longer"])
def test_a_changed_file_is_an_error_that_names_it(place: PlaceFixture, tmp_path: Path, abc: Path, found: bytes) -> None:
    place.store.write(ABC, abc)
    place.overwrite(KEY, found)
    (tmp_path / "model.keras").write_bytes(b"an older one")
    with pytest.raises(ChangedArtifactError, match=KEY) as raised:
        fetch(place.store, ABC, tmp_path / "model.keras")
    assert "model.keras" in str(raised.value)
    assert place.store.address in str(raised.value)
    assert hashlib.sha256(found).hexdigest() in str(raised.value)
    assert (tmp_path / "model.keras").read_bytes() == b"an older one"
    assert list(tmp_path.glob(".*.partial")) == []


@pytest.mark.parametrize("found", [b"ab", b"", b"abcabc"], ids=["torn", "empty", "longer"])
def test_a_torn_file_is_written_anew_when_it_is_brought_again(place: PlaceFixture, abc: Path, found: bytes) -> None:
    place.store.write(ABC, abc)
    place.overwrite(KEY, found)
    assert place.store.exists(ABC)
    assert not place.store.exists(ABC, 3)
    bring(place.store, ABC, 3, abc)
    assert place.content()[KEY] == b"abc"
    assert place.store.exists(ABC, 3)


def test_a_file_that_is_there_in_its_length_is_not_written_again(place: PlaceFixture, abc: Path) -> None:
    place.store.write(ABC, abc)
    abc.unlink()
    bring(place.store, ABC, 3, abc)
    with pytest.raises(FileNotFoundError):
        bring(place.store, ABC, 4, abc)


def test_what_lies_there_beside_artifacts_is_no_digest(place: PlaceFixture, abc: Path) -> None:
    place.store.write(ABC, abc)
    place.overwrite("sha/ba/notes.txt", b"mine")
    assert list(place.store.digests()) == [ABC]


def test_a_place_that_is_gone_is_away(place: PlaceFixture, tmp_path: Path, abc: Path) -> None:
    place.store.write(ABC, abc)
    place.take_away()
    for use in (
        lambda: place.store.write(ABC, abc),
        lambda: place.store.exists(ABC),
        lambda: list(place.store.digests()),
        place.store.prepare,
    ):
        with pytest.raises(ArtifactsAwayError, match=place.store.address.replace("{", "\\{")):
            use()
    with pytest.raises((ArtifactsAwayError, MissingArtifactError)):
        fetch(place.store, ABC, tmp_path / "back.txt")
