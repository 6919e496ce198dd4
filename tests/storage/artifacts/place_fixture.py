"""Places for artifacts as a person with another program sees them: raw bytes, by key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tunefront.storage.artifacts.artifact_store import ArtifactStore
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.artifacts.s3 import S3Artifacts


class PlaceFixture(Protocol):
    """A place, and what lies there."""

    store: ArtifactStore

    def content(self) -> dict[str, bytes]:
        """Return key -> content of all that lies there."""

    def overwrite(self, key: str, content: bytes) -> None:
        """Put other content in place of a file's."""

    def take_away(self) -> None:
        """Remove the whole place, as if it were not mounted, or the bucket deleted."""


@dataclass
class FolderPlace:
    folder: Path

    def __post_init__(self) -> None:
        self.store = FolderArtifacts(self.folder)

    def content(self) -> dict[str, bytes]:
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    def overwrite(self, key: str, content: bytes) -> None:
        (self.folder / key).write_bytes(content)

    def take_away(self) -> None:
        self.folder.rename(self.folder.with_name("away"))
        self.folder.write_text("a file stands here, so that no folder can be made")


@dataclass
class BucketPlace:
    client: Any
    bucket: str
    prefix: str = "team/digits"

    def __post_init__(self) -> None:
        self.store = S3Artifacts(self.bucket, self.prefix)

    def content(self) -> dict[str, bytes]:
        keys = [entry["Key"] for entry in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", ())]
        assert all(key.startswith(f"{self.prefix}/") for key in keys)
        return {
            key.removeprefix(f"{self.prefix}/"): self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            for key in keys
        }

    def overwrite(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"{self.prefix}/{key}", Body=content)

    def take_away(self) -> None:
        for key in self.content():
            self.client.delete_object(Bucket=self.bucket, Key=f"{self.prefix}/{key}")
        self.client.delete_bucket(Bucket=self.bucket)
