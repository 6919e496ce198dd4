"""A dump of a PostgreSQL database by pg_dump, of one moment, while others write to it."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL

from tunefront.storage.database.connection import Store
from tunefront.storage.database.passwords import written
from tunefront.storage.server.programs import Programs, ServerError, dump_programs

_SECRETS = ("password", "sslpassword")  # arguments of programs can be seen by everybody on a machine


@dataclass(frozen=True)
class PostgresDump:
    """A dump that is to be made, by programs that read the server's version."""

    url: URL
    programs: Programs

    def write(self, path: Path) -> None:
        """Write the dump, in PostgreSQL's own compressed format.

        Raises:
            ServerError: If pg_dump fails; its message says why.
        """
        # Studies may be restored by another user, so that owners and rights are left out.
        arguments = ["--format=custom", "--no-owner", "--no-privileges", f"--file={path}", f"--dbname={self._address}"]
        environment = {**os.environ, "LC_ALL": "C"}
        password = self.url.password or self.url.query.get("password")
        if isinstance(password, str):
            environment["PGPASSWORD"] = password
        command = [self.programs.path("pg_dump"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"the backup was not written: {' '.join(done.stderr.split())}")

    def restore(self, path: Path) -> Sequence[str]:
        """Return how a dump at `path` is put back."""
        # In one transaction: all of it, or the database stays as it was.
        options = "--single-transaction --clean --if-exists --no-owner --no-privileges"
        program = shlex.quote(self.programs.path("pg_restore"))
        return [
            "# to put it back in place of what is there, end all runs of the storage first; or name an empty database:",
            f"{program} {options} --dbname {shlex.quote(self._address)} {shlex.quote(str(path))}",
        ]

    @property
    def _address(self) -> str:
        """The address as PostgreSQL's programs read it, without its password."""
        return written(self.url.set(drivername="postgresql").difference_update_query(_SECRETS))


def dump_postgres(store: Store) -> PostgresDump:
    """Find programs that dump the store's database.

    Raises:
        ServerError: If there are none, or the server is newer than they are.
    """
    with store.engine.connect() as connection:
        number = int(connection.execute(sa.text("SHOW server_version_num")).scalar_one())
    return PostgresDump(store.engine.url, dump_programs(number // 10_000))
