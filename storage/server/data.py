"""The data of a new server: made whole or not at all, with one role that needs a password."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from tunefront.storage.server.programs import Programs, ServerError
from tunefront.storage.server.server_user import ServerUser
from tunefront.storage.server.store_folder import DATABASE, ROLE, StoreFolder

_ADMINISTRATOR = "postgres"  # has no password, and may connect from nowhere
# Everything that follows in data/postgresql.conf goes before what this file says.
_INCLUDE = 'echo "include = \'../postgresql.conf\'" >> "$1/postgresql.conf"'


def read_major(folder: StoreFolder) -> int | None:
    """Return the version of PostgreSQL that the data are of; None if there are none yet.

    Raises:
        ServerError: If the folder has no such data in it.
    """
    if not folder.data.exists():
        return None
    try:
        return int((folder.data / "PG_VERSION").read_text())
    except PermissionError:  # the caller finds out whose data these are
        return None
    except (OSError, ValueError):
        raise ServerError(f"{folder.data} holds no data of PostgreSQL. Name another folder with --data") from None


def make_data(folder: StoreFolder, user: ServerUser, programs: Programs) -> None:
    """Make the data, and the password file beside them.

    Raises:
        ServerError: If PostgreSQL refuses; its message says why.
    """
    shutil.rmtree(folder.unfinished, ignore_errors=True)
    folder.unfinished.mkdir(mode=0o700)
    user.own(folder.unfinished)
    # With "reject" nobody may connect until the server's own file of access is written.
    options = ["--encoding=UTF8", "--locale=C.UTF-8", f"--username={_ADMINISTRATOR}", "--auth=reject"]
    _run(user, [programs.path("initdb"), "-D", str(folder.unfinished), *options], "the store's data cannot be made")
    _run(user, ["/bin/sh", "-c", _INCLUDE, "sh", str(folder.unfinished)], "the store's data cannot be made")
    folder.configuration.touch(mode=0o644)
    password = folder.make_password()
    statements = [f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'", f"CREATE DATABASE {DATABASE} OWNER {ROLE}"]
    _administrate(user, programs, str(folder.unfinished), statements)
    folder.unfinished.rename(folder.data)


def replace_password(folder: StoreFolder, user: ServerUser, programs: Programs) -> None:
    """Make a new password and its file, for data whose file is gone. The server must not run.

    Raises:
        ServerError: If PostgreSQL refuses; its message says why.
    """
    statement = f"ALTER ROLE {ROLE} PASSWORD '{folder.make_password()}'"
    try:
        _administrate(user, programs, str(folder.data), [statement])
    except ServerError:
        folder.password_file.unlink()
        raise


def _administrate(user: ServerUser, programs: Programs, data: str, statements: Sequence[str]) -> None:
    """Run statements, a line each, in PostgreSQL's mode for one user, who needs no password."""
    program = [programs.path("postgres"), "--single", "-D", data, "-c", "exit_on_error=true", "postgres"]
    _run(user, program, "the store's password cannot be set", "\n".join([*statements, ""]))


def _run(user: ServerUser, arguments: Sequence[str], what: str, stdin: str = "") -> None:
    done = user.run(arguments, stdin)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip() and "PASSWORD" not in line]
        raise ServerError(f"{what}: {'; '.join(lines[-4:])}")
