"""The rows that name files in artifacts: which file of which trial has which digest.

A file's row is written before the file, under a lock that whoever removes files holds too. So a file that no row names
is on nobody's way there, and can be removed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tunefront.mistakes import TunefrontError
from tunefront.printable import shown
from tunefront.storage.artifacts.artifact_store import ArtifactStore, is_digest
from tunefront.storage.attempts import Lease, holds, of_trial
from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store
from tunefront.storage.database.locks import ARTIFACTS_LOCK
from tunefront.storage.open_study import OpenStudy

MODELS, LOGS, CHECKPOINTS = "models", "logs", "checkpoints"  # folders of a results folder, and of names
_PART = re.compile(r"[\w-][\w.-]*")  # of a name: no "..", nothing hidden
TURNS = "turns"  # the folder in names of checkpoints at the ends of turns, which other members of a population may take


class ForgedFileError(TunefrontError):
    """A file of a trial that tunefront would never name; the message has its name, digest and the remedy."""


@dataclass(frozen=True)
class Artifact:
    """A file of a trial.

    Attributes:
        name: Its path in a results folder, such as ``models/trial-3.keras``.
        digest: Its SHA-256 in hexadecimal digits.
    """

    name: str
    digest: str
    n_bytes: int

    def __post_init__(self) -> None:
        """Refuse what tunefront never writes: it could lead out of the results folder, or of the place.

        Raises:
            ForgedFileError: If it is such a file.
        """
        parts = self.name.split("/")
        if not is_digest(self.digest) or len(parts) < 2 or not all(map(_PART.fullmatch, parts)):
            raise ForgedFileError(
                f"the storage names the file {shown(self.name)} with the digest {shown(self.digest)}, which is none "
                "of tunefront's: somebody has written to its table of artifacts. Restore a backup, or delete the row"
            )

    @property
    def folder(self) -> str:
        """The folder that the name begins with."""
        return self.name.partition("/")[0]


def register(store: Store, lease: Lease, files: Collection[Artifact], folders: Collection[str]) -> list[str] | None:
    """Write what files an attempt brings, in place of the trial's earlier ones of these names and in these folders.

    Returns:
        The digests that the trial names no longer; None if the lease is no longer held, and nothing is written.
    """
    table = schema.artifacts
    with store.exclusively(ARTIFACTS_LOCK), store.engine.begin() as connection:
        if not holds(connection, lease):
            return None
        names = {file.name for file in files}
        earlier = [
            file
            for file in _read(connection, of_trial(table, lease.study_id, lease.number))
            if file.folder in folders or file.name in names
        ]
        is_earlier = table.c.name.in_([file.name for file in earlier])
        connection.execute(table.delete().where(of_trial(table, lease.study_id, lease.number) & is_earlier))
        for file in files:
            row = {"name": file.name, "digest": file.digest, "n_bytes": file.n_bytes}
            connection.execute(table.insert().values(study_id=lease.study_id, number=lease.number, **row))
    return sorted({file.digest for file in earlier} - {file.digest for file in files})


def withdraw(store: Store, lease: Lease, name: str) -> None:
    """Delete the row of a file that an attempt could not bring; nothing if the lease is no longer held."""
    table = schema.artifacts
    with store.exclusively(ARTIFACTS_LOCK), store.engine.begin() as connection:
        if holds(connection, lease):
            is_it = of_trial(table, lease.study_id, lease.number) & (table.c.name == name)
            connection.execute(table.delete().where(is_it))


def read(study: OpenStudy, folders: Collection[str] = (MODELS,)) -> dict[int, list[Artifact]]:
    """Read the study's files in these folders: trial number -> its files."""
    table = schema.artifacts
    with study.store.engine.connect() as connection:
        if not sa.inspect(connection).has_table(table.name):  # made by an older tunefront, and only read here
            return {}
        is_in_folders = sa.or_(*(table.c.name.startswith(f"{folder}/", autoescape=True) for folder in folders))
        is_wanted = (table.c.study_id == study.study_id) & is_in_folders
        found: dict[int, list[Artifact]] = {}
        for row in connection.execute(sa.select(table).where(is_wanted).order_by(table.c.name)):
            found.setdefault(row.number, []).append(Artifact(row.name, row.digest, row.n_bytes))
    return found


def forget(study: OpenStudy, numbers: Iterable[int], folder: str = MODELS) -> list[str]:
    """Delete the rows of the files that these trials have in `folder`; return their digests.

    A trial whose models go has no kept model any more, wherever its worker has put that.
    """
    doomed = sorted(read(study, (folder,)).keys() & set(numbers))
    if not doomed:
        return []
    attempts = schema.attempts
    with study.store.engine.begin() as connection:
        if folder == MODELS:
            is_doomed = (attempts.c.study_id == study.study_id) & attempts.c.number.in_(doomed)
            connection.execute(attempts.update().where(is_doomed).values(model_path=""))
        return [digest for each in doomed for digest in delete_rows(connection, study.study_id, each, folder)]


def delete_rows(connection: Connection, study_id: int, number: int, folder: str) -> list[str]:
    """Delete the rows of a trial's files in `folder` within a transaction; return their digests."""
    is_of_trial = of_trial(schema.artifacts, study_id, number)
    doomed = [file for file in _read(connection, is_of_trial) if file.folder == folder]
    is_doomed = schema.artifacts.c.name.in_([file.name for file in doomed])
    connection.execute(schema.artifacts.delete().where(is_of_trial & is_doomed))
    return [file.digest for file in doomed]


def digests_in(studies: Iterable[OpenStudy]) -> Mapping[str, int]:
    """Read the files of whole studies: digest -> bytes."""
    folders = (MODELS, LOGS, CHECKPOINTS, TURNS)
    return {file.digest: file.n_bytes for study in studies for files in read(study, folders).values() for file in files}


def named(store: Store) -> set[str]:
    """Read the digests that any study of the storage names."""
    with store.engine.connect() as connection:
        return set(connection.execute(sa.select(schema.artifacts.c.digest).distinct()).scalars())


def remove_unnamed(store: Store, artifacts: ArtifactStore, digests: Collection[str]) -> None:
    """Remove those of these files that no row of any study names.

    Raises:
        ArtifactsAwayError: If they cannot be removed now.
        LockBusyError: If the lock is not to be had.
    """
    table = schema.artifacts
    for digest in digests:
        with store.exclusively(ARTIFACTS_LOCK):
            with store.engine.connect() as connection:
                name = connection.execute(sa.select(table.c.name).where(table.c.digest == digest).limit(1)).scalar()
            if name is None:
                artifacts.remove(digest)


def _read(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Artifact]:
    rows = connection.execute(sa.select(schema.artifacts).where(condition)).all()
    return [Artifact(row.name, row.digest, row.n_bytes) for row in rows]
