from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tunefront.storage.artifacts.address import ArtifactsAddressError, full_address, open_artifacts
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.artifacts.s3 import S3Artifacts


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/data/tunefront", "/data/tunefront"),
        ("/data/a/../b/", "/data/b"),
        ("s3://models", "s3://models"),
        ("s3://models/", "s3://models"),
        ("s3://my.models-1/team a/digits/", "s3://my.models-1/team a/digits"),
    ],
)
def test_an_address_is_stored_as(given: str, expected: str) -> None:
    assert full_address(given) == expected


def test_a_folder_is_stored_with_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert full_address("shared/models") == str(tmp_path / "shared" / "models")
    assert full_address("~/models") == str(tmp_path / "home" / "models")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "--artifacts is empty"),
        ("s3://", "names no bucket"),
        ("s3:///models", "names no bucket"),
        ("s3://Models/x", "names no bucket"),
        ("s3://m", "names no bucket"),
        ("s3://models/x?versionId=1", "no \\? and no #"),
        ("gs://models/x", "GCSArtifactStore\\), which is untested here"),
        ("http://models/x", "http:// is not known"),
        ("s3:/models/x", "'s3:/m' is not how a bucket begins: small letters, and two slashes"),
        ("S3://models/x", "'S3://' is not how a bucket begins: small letters, and two slashes"),
        ("file:///data", "file:// is not known"),
    ],
)
def test_what_is_no_address_is_refused_with_what_to_write(given: str, says: str) -> None:
    with pytest.raises(ArtifactsAddressError, match=says) as raised:
        full_address(given)
    assert "s3://BUCKET/PREFIX" in str(raised.value)


@pytest.mark.parametrize(
    "given",
    [
        "s3://AKIAEXAMPLE:wJalrXUtnFEMI@models/x",
        "s3://AKIAEXAMPLE:wJal/rXUtnFEMI@models/x",
        "s3://AKIAEXAMPLE:wJalrXUtnFEMI",
        "s3://AKIAEXAMPLE@models",
    ],
)
def test_an_address_with_a_key_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(ArtifactsAddressError) as raised:
        full_address(given)
    assert "AWS_SECRET_ACCESS_KEY" in str(raised.value)
    assert "AKIAEXAMPLE" not in str(raised.value)
    assert "FEMI" not in str(raised.value)


def test_each_kind_of_address_is_opened(tmp_path: Path) -> None:
    folder, bucket = open_artifacts(str(tmp_path)), open_artifacts("s3://models/team/x/")
    assert isinstance(folder, FolderArtifacts)
    assert isinstance(bucket, S3Artifacts)
    assert (folder.address, bucket.address) == (str(tmp_path), "s3://models/team/x")


def test_without_boto3_one_line_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['boto3'] = None\n"
        "from tunefront.storage.artifacts.address import open_artifacts\n"
        "try: open_artifacts('s3://models/x')\n"
        "except Exception as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "--artifacts s3://models/x needs boto3: pip install 'tunefront[s3]', or name a folder\n"


def test_a_broken_endpoint_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "no address")
    with pytest.raises(ArtifactsAddressError, match="Invalid endpoint: no address"):
        open_artifacts("s3://models/x")
