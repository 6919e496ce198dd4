"""The address of a storage that is given to workers on other machines, in their command lines and logs."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url

from tunefront.mistakes import TunefrontError
from tunefront.storage.database.password_file import password_file
from tunefront.storage.database.passwords import has_password, masked


class SharedStorageError(TunefrontError):
    """The address of a storage cannot be given to other machines; the message names the remedy."""


def is_file(url: str) -> bool:
    """Return whether a storage is a file, which only this machine can use."""
    return url.startswith("sqlite")


def address_for_workers(url: str) -> str:
    """Return the address of a storage as workers with other current folders understand it.

    Raises:
        SharedStorageError: If it has a password in it, or names no file that has it.
    """
    if is_file(url):
        parsed = make_url(url)
        path = str(parsed.database or "")
        return parsed.set(database=str(Path(path).resolve())).render_as_string(hide_password=False) if path else url
    named = None if has_password(url) else password_file(make_url(url))
    if named is None or not named.is_absolute():
        raise SharedStorageError(
            f"--storage {masked(url)}: workers on a cluster get the address in their command lines and logs, so it "
            "must have no password in it, and name a file with the password by its whole path, on every machine: "
            "postgresql+psycopg://USER@HOST/DATABASE?passfile=/its/path. 'tunefront store start' prints such an address"
        )
    return url
