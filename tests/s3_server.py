"""A real server that speaks S3 for tests: moto's, installed by pip, which keeps everything in memory."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

_START_SECONDS = 60.0


@dataclass(frozen=True)
class S3Server:
    """A running server.

    Attributes:
        environment: The variables by which boto3 finds it.
    """

    endpoint: str
    environment: dict[str, str]

    @classmethod
    @contextlib.contextmanager
    def started(cls, log: Path) -> Iterator[S3Server]:
        """Start a server, and end it."""
        port = free_port()
        with log.open("wb") as output:
            command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
            server = subprocess.Popen(command, stdout=output, stderr=output)
        endpoint = f"http://127.0.0.1:{port}"
        try:
            _await(server, f"{endpoint}/moto-api/", log)
            yield cls(endpoint, credentials(endpoint, "tester", "secret-of-tester"))
        finally:
            server.terminate()
            server.wait(30)

    def client(self) -> Any:
        """Return a client that is not tunefront's."""
        return client_of(self.environment)

    def make_bucket(self) -> str:
        """Make a bucket, and return its name."""
        name = f"bucket-{uuid.uuid4().hex}"
        self.client().create_bucket(Bucket=name)
        return name


def credentials(endpoint: str, key: str, secret: str) -> dict[str, str]:
    """Return the variables by which boto3 finds a server and who asks it."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def client_of(environment: dict[str, str]) -> Any:
    """Return a client of boto3 for these variables."""
    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
    )


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"{address} does not answer: {log.read_text()}"
        time.sleep(0.1)
