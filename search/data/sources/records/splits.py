"""The split of each record file: as its name says, or the folder that it lies in."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from tunefront.search.data.examples import SPLIT_WORDS, SPLITS, DataError, SplitName, readable
from tunefront.search.data.sources.split_names import split_in

_WORDS = "|".join(sorted(SPLIT_WORDS, key=len, reverse=True))
_GLUED_WORD = re.compile(rf"(?<![a-z])({_WORDS})|({_WORDS})(?![a-z])")


def splits_of(files: Sequence[Path]) -> list[SplitName] | None:
    """Return the split of each file; None if no file or folder names one, or all name the same.

    Raises:
        DataError: If only some name one, or none is for training.
    """
    top = common_folder(files)
    splits = [split_of(file, top) for file in files]
    known = [split for split in splits if split]
    if not known:
        return _glued_splits(files)
    if len(known) < len(files):
        odd = next(file for file, split in zip(files, splits, strict=True) if split is None)
        raise DataError(
            "data.path: other files have train, validation or test in their names, or in those of their folders, and "
            f"{readable(str(odd))} has not: rename it, move it away, or give a pattern such as records/train-*"
        )
    if len(set(known)) > 1 and "train" not in known:
        shown = " and ".join(
            f"{readable(str(files[known.index(split)].relative_to(top)))} ({split})" for split in sorted(set(known))
        )
        raise DataError(
            f"data.path: of the record files in {readable(str(top))}, such as {shown}, no file is for training: add "
            "those with train in their names; or rename those that are for training, or name them alone with a pattern"
        )
    return known if len(set(known)) > 1 else None


def split_of(file: Path, top: Path) -> SplitName | None:
    """Return the split that a file's name says, or else that of the nearest folder below `top` that names one."""
    return next((split for part in reversed(file.relative_to(top).parts) if (split := split_in(part))), None)


def common_folder(files: Sequence[Path]) -> Path:
    """Return the folder that all files lie in or below."""
    return Path(os.path.commonpath([file.parent for file in files]))


def describe_splits(files: Sequence[Path], splits: Sequence[SplitName]) -> dict[str, int]:
    """Return notes that say which files are in which split, with their number."""
    top = common_folder(files)
    notes = {}
    for split in SPLITS:
        names = [
            readable(str(file.relative_to(top))) for file, given in zip(files, splits, strict=True) if given == split
        ]
        if names:
            shown = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
            what = "record file is" if len(names) == 1 else "record files are"
            notes[f"{what} the {split} split, by name: {shown}"] = len(names)
    return notes


def _glued_splits(files: Sequence[Path]) -> list[SplitName] | None:
    """Return the splits of files named like ``flowerstrain`` and ``flowerstest``: equal but for word and numbers."""
    names = [re.sub(r"\d+", "", file.name.lower()) for file in files]
    words = [_GLUED_WORD.search(name) for name in names]
    if not all(words):
        return None
    splits = [SPLIT_WORDS[word.group()] for word in words if word]
    others = {_GLUED_WORD.sub("*", name, count=1) for name in names}
    return splits if len(others) == 1 and len(set(splits)) > 1 and "train" in splits else None
