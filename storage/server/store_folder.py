"""The folder of a server: its data, its password, and where it listens."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tunefront.file_lock import locked
from tunefront.storage.files import replace_file
from tunefront.storage.server.programs import ServerError

ROLE = DATABASE = "tunefront"  # the one user that may connect, who is no administrator, and that user's database
LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 5432
_MARKER, _LOCK = "store.json", ".lock"
_ROOTS_FOLDER = Path("/var/lib/tunefront/store")  # another user, as whom the server runs, may enter it


@dataclass(frozen=True)
class Listening:
    """The address and port at which a server listens, besides this machine's own addresses."""

    host: str = LOOPBACK
    port: int = DEFAULT_PORT

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


@dataclass(frozen=True)
class StoreFolder:
    """The folder of one server; `path` is absolute."""

    path: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder, which only the server's user may enter."""
        return self.path / "data"

    @property
    def unfinished(self) -> Path:
        """Data that are being made; left behind by a start that was cut off."""
        return self.path / "data.partial"

    @property
    def password_file(self) -> Path:
        """The file that an address names as `passfile`."""
        return self.path / "passfile"

    @property
    def configuration(self) -> Path:
        """The server's settings, written anew at each start."""
        return self.path / "postgresql.conf"

    @property
    def access(self) -> Path:
        """Who may connect, written anew at each start."""
        return self.path / "pg_hba.conf"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.data / "server.log"

    def check(self) -> bool:
        """Return whether the folder holds a store.

        Raises:
            ServerError: If it holds something else.
        """
        try:
            if (self.path / _MARKER).is_file():
                return True
        except PermissionError:
            raise ServerError(
                f"{self.path} may be entered by its owner alone. Run this as that user or as root, or name another "
                "folder with --data"
            ) from None
        if self.path.exists() and not self.path.is_dir():
            raise ServerError(f"{self.path} is a file. Name a folder with --data")
        if self.path.is_dir() and any(path.name != _LOCK for path in self.path.iterdir()):
            raise ServerError(
                f"{self.path} holds other files and no store of tunefront. Name an empty or a new folder with --data"
            )
        return False

    def make(self, *, for_other_user: bool) -> None:
        """Make the folder: for its owner alone, or so that another user may pass through to the data.

        One that is there keeps its mode.

        Raises:
            ServerError: If others may put files of theirs into it.
        """
        if not self.path.exists():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o711 if for_other_user else 0o700)
        elif (mode := self.path.stat().st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
            shown = shlex.quote(str(self.path))
            raise ServerError(
                f"others may write into {shown} (mode {stat.S_IMODE(mode):o}), and so replace the store's password "
                f"file: chmod go-w {shown}, or name a new folder with --data"
            )

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep other commands away from the folder meanwhile."""
        with locked(os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)):
            yield

    def read_listening(self) -> Listening:
        """Read where the server listened at its last start.

        Raises:
            ServerError: If the file that says so was changed by somebody else.
        """
        try:
            content = json.loads((self.path / _MARKER).read_text())
            return Listening(str(content["listen"]), int(content["port"]))
        except (ValueError, KeyError, TypeError):
            text = json.dumps({"listen": LOOPBACK, "port": DEFAULT_PORT})
            raise ServerError(f"{self.path / _MARKER} is damaged. Write into it: {text}") from None

    def write_listening(self, listening: Listening) -> None:
        """Note where the server listens; this marks the folder as a store."""
        content = json.dumps({"listen": listening.host, "port": listening.port})
        replace_file(self.path / _MARKER, content + "\n", is_durable=True)

    def make_password(self) -> str:
        """Make a password, and write the file that clients read it from.

        The file names no host and no port, so that copies of it are good on any machine.
        """
        password = secrets.token_urlsafe(32)
        partial = self.path / ".passfile.partial"
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"*:*:{DATABASE}:{ROLE}:{password}\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.password_file)
        return password


def default_folder() -> Path:
    """Return the folder of a store where none is named."""
    if os.geteuid() == 0:
        return _ROOTS_FOLDER
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "tunefront/store"
