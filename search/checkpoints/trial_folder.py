"""The folder of one trial's checkpoints: two generations, of which the newest whole one counts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tunefront.search.checkpoints.checkpoint_file import read_header
from tunefront.search.checkpoints.header import CheckpointHeader

_GENERATIONS = 2
_NAME = re.compile(r"(\d+)-[0-9a-f]{64}\.npz")


def folder_of(out: Path, number: int) -> Path:
    """Return the folder of a trial's checkpoints below the results folder `out`; it need not exist."""
    return out / "checkpoints" / f"trial-{number}"


def newest_whole(folder: Path, at_most: int | None = None) -> CheckpointHeader | None:
    """Return the header of the newest checkpoint that is whole; None if there is none. Nothing is changed.

    Args:
        at_most: The last epoch that it may have; None for any.
    """
    for path in _newest_first(folder):
        header = read_header(path)
        if header is not None and (at_most is None or header.epoch <= at_most):
            return header
    return None


def n_epochs_there(folder: Path, at_most: int) -> int:
    """Return the epochs before the newest checkpoint up to `at_most`, by its name; 0 if there is none.

    The file is not read, so that it may be torn.
    """
    found = (int(path.name.partition("-")[0]) for path in _newest_first(folder))
    return next((n_epochs for n_epochs in found if n_epochs <= at_most), 0)


def remove_older(folder: Path) -> None:
    """Remove all checkpoints but the newest two, and what a killed process left half written."""
    kept = _newest_first(folder)[:_GENERATIONS]
    for path in _own_files(folder):
        if path not in kept:
            path.unlink(missing_ok=True)


def remove_others(folder: Path, header: CheckpointHeader | None) -> None:
    """Remove all checkpoints but one: a training goes on from it, or with None begins anew."""
    for path in _own_files(folder):
        if header is None or path.name != header.file_name:
            path.unlink(missing_ok=True)


def remove_checkpoints(folder: Path) -> None:
    """Remove a trial's folder, which need not exist; a link is removed itself, and not what it leads to.

    Raises:
        OSError: If something in it cannot be removed.
    """
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _newest_first(folder: Path) -> list[Path]:
    found = [(int(match[1]), path) for path in _entries(folder) if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found, reverse=True)]


def _own_files(folder: Path) -> Iterator[Path]:
    for path in _entries(folder):
        if _NAME.fullmatch(path.name) or path.suffix == ".partial":
            yield path


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
