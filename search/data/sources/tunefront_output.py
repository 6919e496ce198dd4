"""Folders that tunefront's commands wrote, which may lie among the data if the data is in the current folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tunefront.search.data.sources.image_names import has_image_ending

CONTACT_SHEET = "contact_sheet.png"
# Files of a study, its report, a replay, a recording and pretrained weights. Nobody keeps images beside them.
_MARKS = re.compile(r"study\.json|report\.html|replay\.html|recording\.csv\.gz|.+\.weights\.h5")
_SHARD = re.compile(r"(?:train|validation|test)-\d{5}-of-\d{5}\.tfrecord")  # of an export
_LABELS = "labels.txt"
_CACHE, _IN_CACHE = "tunefront", {"locks", "manifests"}
_RESULTS = "results"
_MAX_DEPTH = 3  # results/STUDY/data


def is_output(folder: Path, depth: int = _MAX_DEPTH) -> bool:
    """Return whether a folder is output: a study's results, a contact sheet, an export, the cache, or a folder of such.

    A folder with images directly in it, other than the contact sheet, is not output, because it may be a class.
    """
    try:
        return _is_output(folder, depth)
    except OSError:
        return False  # the next reader of the folder reports why it cannot be read


def _is_output(folder: Path, depth: int) -> bool:
    files: set[str] = set()
    folders: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir():
                folders.add(entry.name)
            elif _may_be_image(entry.name):
                return False  # without a look at the other files: a class may have a million
            else:
                files.add(entry.name)
    if files == {CONTACT_SHEET} and not folders:
        return True
    if any(_MARKS.fullmatch(name) for name in files):
        return True
    if _LABELS in files and any(_SHARD.fullmatch(name) for name in files):
        return True
    if folder.name == _CACHE and folders >= _IN_CACHE:
        return True
    return depth > 0 and _holds_output([folder / name for name in folders], folder.name == _RESULTS, depth - 1)


def _may_be_image(name: str) -> bool:
    """Return whether a file may be somebody's image: its ending says so, or it has none, as in some old data sets."""
    return name != CONTACT_SHEET and (has_image_ending(name) or not os.path.splitext(name)[1])


def _holds_output(folders: list[Path], is_called_results: bool, depth: int) -> bool:
    """Return whether all folders are output; inside a folder called ``results``, one of them is enough."""
    are_output = [_is_output(folder, depth) for folder in folders]
    if is_called_results:
        return any(are_output)
    others = [folder for folder, is_ours in zip(folders, are_output, strict=True) if not is_ours]
    return any(are_output) and not any(_has_files(other) for other in others)


def _has_files(folder: Path) -> bool:
    return any(not name.startswith(".") for _, _, names in os.walk(folder) for name in names)
