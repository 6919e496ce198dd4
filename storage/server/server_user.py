"""The user that the server's processes run as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunefront.storage.server.programs import ServerError

_PREFERRED, _ALWAYS_THERE = "tunefront", "nobody"
_ENVIRONMENT = ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH")  # not PGDATA, PGPORT and the like


@dataclass(frozen=True)
class ServerUser:
    """A user of this machine; programs run as this one.

    Attributes:
        is_other: Whether this is not the user of this process, which is root then.
    """

    uid: int
    gid: int
    name: str
    is_other: bool

    def run(
        self, arguments: Sequence[str], stdin: str = "", folder: Path = Path("/")
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end in a folder that the user may enter, with its output in one text.

        It may leave a server behind.
        """
        identity: Mapping[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        return subprocess.run(
            arguments,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={**environment, "LC_ALL": "C"},
            check=False,
            **identity,
        )

    def own(self, path: Path) -> None:
        """Make the user the owner of a file or folder."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def check_reach(self, path: Path, remedy: str) -> None:
        """Check that the user can enter all folders above `path`, which are left as they are.

        Raises:
            ServerError: Names the first folder that is closed, and the remedy.
        """
        if not self.is_other:
            return
        for folder in reversed(path.parents):
            if folder.exists() and self.run(["test", "-x", str(folder)]).returncode:
                raise ServerError(
                    f"{path} is out of reach of the user {self.name}, as whom the server runs because PostgreSQL "
                    f"refuses root: {self.name} may not enter {folder}. {remedy}"
                )


def choose_user(data: Path) -> ServerUser:
    """Return the user who runs the server: the owner of its data where root starts it again.

    For new data root takes a user `tunefront` if there is one, else `nobody`.

    Raises:
        ServerError: If the data are another user's.
    """
    me, owner = os.geteuid(), _owner(data)
    if me != 0:
        if owner not in (None, me):
            raise ServerError(
                f"{data} belongs to the user {_name(owner)}: run this as {_name(owner)} or root, or name another "
                "folder with --data"
            )
        return ServerUser(me, os.getegid(), _name(me), is_other=False)
    if owner == 0:
        raise ServerError(f"{data} belongs to root, as whom PostgreSQL does not run. Name another folder with --data")
    entry = _entry(owner) if owner is not None else _first_entry(_PREFERRED, _ALWAYS_THERE)
    return ServerUser(entry.pw_uid, entry.pw_gid, entry.pw_name, is_other=True)


def _owner(path: Path) -> int | None:
    """Return the owner of a folder; None if there is no such folder."""
    try:
        return path.stat().st_uid
    except FileNotFoundError:
        return None


def _name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return f"number {uid}"


def _entry(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise ServerError(f"the store's data belong to the user number {uid}, who is not known here") from None


def _first_entry(*names: str) -> pwd.struct_passwd:
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerError(
        f"PostgreSQL refuses to run as root, and there is no user {_PREFERRED} to run it as. Make one "
        f"(useradd --system {_PREFERRED}), or run this as another user"
    )
