"""What this user has approved on this machine: files of code by their digest, and paths of data.

Whoever can write to a store can write any spec there. So a worker that takes a spec from a store runs no code and reads
no file that this user has not named on this machine. What `run` and `submit` are given counts as named.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from tunefront.file_lock import locked
from tunefront.mistakes import TunefrontError

_FILE = "approved.json"
_MAX_BYTES = 10_000_000  # tunefront never writes more


class ApprovalsError(TunefrontError):
    """The file of approvals cannot be trusted; the message names it and the remedy."""


@dataclass(frozen=True)
class Approvals:
    """Files of code and paths of data that a user has approved.

    Attributes:
        code: Real path of a file -> the SHA-256 of the content that was approved.
        paths: Real paths of files and folders that may be read.
    """

    code: Mapping[str, str] = field(default_factory=dict)
    paths: frozenset[str] = frozenset()

    def allow_code(self, file: Path) -> bool:
        """Return whether a file has the content that was approved."""
        approved = self.code.get(str(file))
        return approved is not None and approved == digest_of_code(file)

    def allow_path(self, path: Path) -> bool:
        """Return whether a file or folder, or a folder that it lies in, was approved."""
        return any(str(each) in self.paths for each in (path, *path.parents))


def digest_of_code(file: Path) -> str:
    """Return the SHA-256 of a file of code.

    Raises:
        OSError: If it cannot be read, or is no regular file.
    """
    with _open(file) as opened:
        return hashlib.sha256(opened.read()).hexdigest()


def state_folder() -> Path:
    """Return the folder of what tunefront keeps of this user on this machine."""
    given = os.environ.get("XDG_STATE_HOME", "")
    return (Path(given) if given else Path.home() / ".local" / "state") / "tunefront"


def read_approvals() -> Approvals:
    """Read what this user has approved; nothing if there is no file.

    Raises:
        ApprovalsError: If somebody else may have written it.
    """
    path = state_folder() / _FILE
    try:
        with _open(path) as file:
            facts = os.fstat(file.fileno())
            if facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o022:
                raise ApprovalsError(f"{path}: others may have written it. Remove it, and run or submit the specs anew")
            stored = json.loads(file.read(_MAX_BYTES))
        return Approvals({str(key): str(digest) for key, digest in stored["code"].items()}, frozenset(stored["paths"]))
    except (FileNotFoundError, NotADirectoryError):
        return Approvals()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ApprovalsError(f"{path} cannot be read ({error}). Remove it, and run or submit the specs anew") from None


def approve(code: Iterable[Path], paths: Iterable[Path]) -> None:
    """Note that the user has named these files of code and these paths of data on this machine.

    Raises:
        ApprovalsError: If the file cannot be trusted.
        OSError: If it cannot be written.
    """
    new = Approvals({str(file): digest_of_code(file) for file in code}, frozenset(str(path) for path in paths))
    if not new.code and not new.paths:
        return
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / _FILE
    with locked(os.open(folder / "approved.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)):
        old = read_approvals()
        merged = Approvals({**old.code, **new.code}, old.paths | new.paths)
        if merged != old:
            _write(path, {"code": dict(merged.code), "paths": sorted(merged.paths)})


def _open(path: Path) -> BinaryIO:
    """Open a regular file for reading; never waits for a writer, as of a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return os.fdopen(descriptor, "rb")


def _write(path: Path, content: Mapping[str, Any]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
