"""The owner of a results folder: a small file in it names the study, so that no other study overwrites it.

A name is not enough, because studies in two stores may have the same one. A study is identified by its name and the
moment it was made, which do not change when its store is moved or copied.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from tunefront.mistakes import TunefrontError
from tunefront.storage.open_study import StudyRecord

OWNER_FILE = "study.json"
_MAX_CHARACTERS = 4096  # tunefront never writes a longer owner file
TIME_TOLERANCE_SECONDS = 0.001  # dumping and restoring a database may lose the last digits of a time


class FolderTakenError(TunefrontError):
    """The results folder belongs to another study: the message names that study and the remedy."""


def check_owner(folder: Path, study: StudyRecord | None, name: str) -> None:
    """Refuse a folder with another study's results. Writes nothing.

    Args:
        study: The study in the store; None if it is still to be made.
        name: The study's name.

    Raises:
        FolderTakenError: If another study owns the folder, or models of an unnamed study are there.
    """
    owner = _read(folder)
    if owner is None:
        if study is None and any((folder / "models").glob("trial-*.keras")):
            raise FolderTakenError(f"{folder} has models of a study that is not in this storage. {_REMEDY}")
        return
    owner_name, made_at = owner
    if study is None or owner_name != study.name or abs(made_at - study.created_at) > TIME_TOLERANCE_SECONDS:
        which = f"another study named {name!r}" if owner_name == name else f"the study {owner_name!r}"
        made = datetime.fromtimestamp(made_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        raise FolderTakenError(f"{folder} holds the results of {which}, made {made}. {_REMEDY}")


def check_owned(folder: Path, study: StudyRecord) -> None:
    """Refuse a folder that is not known to hold this study's results. Writes nothing.

    Raises:
        FolderTakenError: If the folder belongs to another study, or has no owner file.
    """
    check_owner(folder, study, study.name)
    if _read(folder) is None:
        raise FolderTakenError(
            f"{folder} has no {OWNER_FILE} that says whose results it holds: an older tunefront wrote none. If they "
            f"are those of {study.name}, 'tunefront report {study.name}' into this folder says so; else name another "
            "folder with --out"
        )


def claim(folder: Path, study: StudyRecord) -> None:
    """Write the study into the folder as its owner; the folder is made if it is missing.

    Raises:
        FolderTakenError: If the folder belongs to another study.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"study": study.name, "made_at": study.created_at})
    # The file gets its final name only once it is whole, and only if no other study has claimed the folder meanwhile.
    partial = folder / f".{OWNER_FILE}.{os.getpid()}"
    partial.unlink(missing_ok=True)
    try:
        with partial.open("x", encoding="utf-8") as file:  # "x" refuses an existing file, so a link is not followed
            file.write(content + "\n")
        _name_once(partial, folder / OWNER_FILE)
    finally:
        partial.unlink(missing_ok=True)
    check_owner(folder, study, study.name)


_REMEDY = "Name another folder with --out, give the study another name, or move this folder away"


def _name_once(partial: Path, path: Path) -> None:
    """Rename a whole file to `path`, unless a file of that name exists."""
    try:
        os.link(partial, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        if not path.exists():
            partial.replace(path)


def _read(folder: Path) -> tuple[str, float] | None:
    path = folder / OWNER_FILE
    try:
        if path.exists() and not path.is_file():
            raise ValueError("reading a pipe or a device may never end")
        with path.open(encoding="utf-8") as file:
            owner = json.loads(file.read(_MAX_CHARACTERS))
        name, made_at = str(owner["study"]), float(owner["made_at"])
        datetime.fromtimestamp(made_at, UTC)  # raises ValueError or OverflowError for NaN and other impossible times
        return name, made_at
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise FolderTakenError(
            f"{path} should name the study whose results the folder holds, and cannot be read. {_REMEDY}"
        ) from None
