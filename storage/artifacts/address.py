"""The address of a place for artifacts: a folder, or ``s3://BUCKET/PREFIX``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tunefront.mistakes import TunefrontError
from tunefront.storage.artifacts.artifact_store import ArtifactStore
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.artifacts.s3 import CREDENTIALS, S3Artifacts

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
_S3 = "s3://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_EXAMPLES = "Write a folder, or s3://BUCKET/PREFIX"


class ArtifactsAddressError(TunefrontError):
    """An address that names no place for artifacts; the message shows nothing of it that may be a key."""


def full_address(text: str) -> str:
    """Return an address as it is stored: a folder's path is absolute then. Reads and writes nothing.

    Raises:
        ArtifactsAddressError: If it is no address, or may have credentials in it.
    """
    if not text.strip():
        raise ArtifactsAddressError(f"--artifacts is empty. {_EXAMPLES}")
    if text.startswith(_S3):
        bucket, prefix = _parts(text)
        return f"{_S3}{bucket}/{prefix}".rstrip("/")
    if _SCHEME.match(text):
        scheme = text.partition(":")[0]
        if scheme in ("gs", "gcs"):
            what = "Google's buckets are not offered: Optuna has a store (GCSArtifactStore), which is untested here"
        elif scheme.lower() == "s3":
            what = f"{text[: len(_S3)]!r} is not how a bucket begins: small letters, and two slashes"
        else:
            what = f"{scheme}:// is not known"
        raise ArtifactsAddressError(f"--artifacts: {what}. {_EXAMPLES}")
    return os.path.abspath(Path(text).expanduser())


def is_folder(address: str) -> bool:
    """Return whether an address is that of a folder, and not of a bucket; False for none."""
    return bool(address) and not address.startswith(_S3)


def open_artifacts(address: str) -> ArtifactStore:
    """Return the place at an address. Whether it can be reached shows with its first use.

    Raises:
        ArtifactsAddressError: If there is no such kind of place, or its package is not installed.
    """
    address = full_address(address)
    if not address.startswith(_S3):
        return FolderArtifacts(Path(address))
    try:
        return S3Artifacts(*_parts(address))
    except ImportError:
        raise ArtifactsAddressError(
            f"--artifacts {address} needs boto3: pip install 'tunefront[s3]', or name a folder"
        ) from None
    except ValueError as error:  # boto3's for a broken AWS_ENDPOINT_URL or region
        raise ArtifactsAddressError(f"--artifacts {address} cannot be used: {error}") from None


def _parts(address: str) -> tuple[str, str]:
    """Return bucket and prefix."""
    if "@" in address:
        raise ArtifactsAddressError(
            f"--artifacts s3://***@... : an address holds no credentials, because it is stored and shown. Write "
            f"s3://BUCKET/PREFIX, and {CREDENTIALS}"
        )
    bucket, _, prefix = address.removeprefix(_S3).partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise ArtifactsAddressError(
            "--artifacts s3://... names no bucket: 3 to 63 small letters, digits, dots and hyphens. "
            f"Write s3://BUCKET/PREFIX, and for keys {CREDENTIALS}"
        )
    if any(character in prefix for character in "?#") or not prefix.isprintable():
        raise ArtifactsAddressError("--artifacts s3://BUCKET/PREFIX: a prefix has no ? and no # in it")
    return bucket, prefix.strip("/")
