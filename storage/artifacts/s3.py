"""Artifacts in a bucket that speaks S3, of Amazon or of any other server, by Optuna's own store.

Keys are ours: those of Optuna's `upload_artifact` are random. Credentials are found by boto3, in its variables and
files; nothing here sees or keeps them. `AWS_ENDPOINT_URL` names another server.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from tunefront.storage.artifacts.artifact_store import (
    README,
    README_TEXT,
    ArtifactsAwayError,
    MissingArtifactError,
    is_digest,
    key_of,
)

CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_N_TRIES = 3
_CONNECT_SECONDS, _READ_SECONDS = 10, 60


class S3Artifacts:
    """Artifacts in a bucket, below a prefix.

    Args:
        prefix: Without slashes at its ends; may be empty.

    Raises:
        ImportError: If boto3 is not installed.
    """

    def __init__(self, bucket: str, prefix: str) -> None:
        import boto3
        from boto3.exceptions import Boto3Error
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from optuna.artifacts import Boto3ArtifactStore
        from optuna.artifacts.exceptions import ArtifactNotFound

        settings: dict[str, Any] = {
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
            "retries": {"total_max_attempts": _N_TRIES, "mode": "standard"},
        }
        if any(os.environ.get(name) for name in _ENDPOINT_VARIABLES):
            # Other servers know no host name for each bucket, and some no checksums that boto3 sends since 1.36.
            settings |= {"s3": {"addressing_style": "path"}, "request_checksum_calculation": "when_required"}
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        # A session of its own: the one that boto3 shares keeps the credentials that were there first.
        self._client = boto3.Session().client("s3", config=Config(**settings))
        self._store = Boto3ArtifactStore(bucket, self._client, avoid_buf_copy=True)  # files are not read into memory
        self._errors = (Boto3Error, BotoCoreError, ClientError, HTTPClientError, OSError)
        self._not_found = ArtifactNotFound

    @property
    def address(self) -> str:
        """The address with bucket and prefix."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def prepare(self) -> None:
        """Write a small text that says what lies there."""
        with self._explained("written"):
            self._store.write(self._prefix + README, BytesIO(README_TEXT.encode()))

    def write(self, digest: str, source: Path, folder: str = "") -> None:
        """Write a file, which a bucket shows when it is whole."""
        content = source.open("rb")
        with content, self._explained("written"):
            self._store.write(self._key(digest, folder), content)

    def open(self, digest: str, folder: str = "") -> BinaryIO:
        """Open a file for reading."""
        with self._explained("read"):
            try:
                return self._store.open_reader(self._key(digest, folder))
            except self._not_found:
                raise MissingArtifactError(f"{self.address} has no {key_of(digest, folder)}") from None

    def exists(self, digest: str, n_bytes: int | None = None) -> bool:
        """Return whether the file is there, and so long."""
        with self._explained("read"):
            # Whoever may not list a bucket gets "forbidden" for a key that is not there, so the answer is a list.
            answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._key(digest), MaxKeys=1)
        return any(n_bytes is None or entry["Size"] == n_bytes for entry in answer.get("Contents", ()))

    def remove(self, digest: str, folder: str = "") -> None:
        """Remove a file, if it is there."""
        with self._explained("written"):
            self._store.remove(self._key(digest, folder))

    def digests(self, folder: str = "") -> Iterator[str]:
        """Yield the digest of each file that is there, in `folder` alone."""
        with self._explained("read"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{self._prefix}{folder or 'sha'}/"):
                names = (entry["Key"].rpartition("/")[2] for entry in page.get("Contents", ()))
                yield from filter(is_digest, names)

    def _key(self, digest: str, folder: str = "") -> str:
        return self._prefix + key_of(digest, folder)

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise ArtifactsAwayError(f"{self.address} cannot be {what}: {_describe(error)}") from error


def _describe(error: BaseException) -> str:
    """Return the first line of an error of boto3, whose messages have no secrets in them."""
    lines = str(error).strip().splitlines()
    remedy = f": {CREDENTIALS}" if type(error).__name__ == "NoCredentialsError" else ""
    return (lines[0].rstrip(".") if lines else type(error).__name__) + remedy
