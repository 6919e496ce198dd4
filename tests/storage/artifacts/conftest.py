"""The places for artifacts, each kind of them, which all keep the same promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.artifacts.place_fixture import BucketPlace, FolderPlace, PlaceFixture
from tunefront.approvals import approve


@pytest.fixture(autouse=True)
def _approved(tmp_path: Path) -> None:
    """Let this user have named all places here, as by `run`."""
    approve([], [tmp_path])


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.server)])
def place(request: pytest.FixtureRequest, any_folder: Path) -> PlaceFixture:
    """A place that is ready, of each kind."""
    if request.param == "s3":
        server = request.getfixturevalue("s3_server")
        made: PlaceFixture = BucketPlace(server.client(), request.getfixturevalue("bucket"))
    else:
        made = FolderPlace(any_folder / "artifacts")
    made.store.prepare()
    return made
