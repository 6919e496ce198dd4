"""The TFRecord files that a path means, and the names of classes beside them."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

from tunefront.search.data.examples import DataError, check_file, readable, some_of
from tunefront.search.data.file_kinds import is_lfs_pointer
from tunefront.search.data.sources.folders.entries import list_all_but_litter
from tunefront.search.data.sources.records.splits import common_folder
from tunefront.search.data.sources.split_names import split_meant
from tunefront.search.system.regular_files import open_file, read_text_file, user_path

_ENDINGS = (".tfrecord", ".tfrecords", ".tfrec")
_SHARD = re.compile(r"-(\d+)-of-(\d+)")


def find_record_files(path: str) -> list[Path]:
    """Return the files that a folder, a pattern or a file's path means, sorted.

    If a folder has no such files, its folders are searched, provided that one of them has the name of a split.

    Raises:
        DataError: If there are none, a folder lacks some of a numbered set, or Git LFS has not downloaded one.
    """
    top = user_path(path)
    if top.is_file():
        return _downloaded([top])
    if top.exists() and not top.is_dir():
        check_file(top)
    if glob.has_magic(path) and not top.exists():
        found = [Path(name) for name in sorted(glob.glob(str(top), recursive=True))]
        files = [file for file in found if file.is_file() and not _is_label_file(file)]
        if not files:
            raise DataError(f"data.path: no file fits the pattern {path!r} (looked for in {os.getcwd()}): correct it")
        return _downloaded(files)
    files = _files_of_folder(top, path)
    for folder in sorted({file.parent for file in files}):
        _check_complete([file for file in files if file.parent == folder])
    return _downloaded(files)


def _files_of_folder(top: Path, path: str) -> list[Path]:
    entries = list_all_but_litter(top)
    folders = [entry for entry in entries if entry.is_dir()]
    files = _record_files(entries)
    in_splits = [file for folder in folders if split_meant(folder.name) for file in _files_in(folder)]
    if files and in_splits:
        raise DataError(
            f"data.path: {readable(str(top))} has record files in it, such as {readable(files[0].name)}, and others in "
            f"its folder {readable(in_splits[0].parent.name)}: move them together, or say with a pattern which to use"
        )
    inner = [] if files else [file for folder in folders for file in _files_in(folder)]
    files = inner if in_splits else files  # with those of folders that are no splits: these are refused, not left out
    if not files:
        inside = some_of([readable(entry.name) for entry in entries], 5) if entries else "  nothing"
        pattern = f"{path}/*/*" if inner else f"{path}/*.bin"
        raise DataError(
            f"data.path: {readable(str(top))} has no TFRecord files: their names have .tfrecord in them, or end "
            f"in -00000-of-00001; for others give a pattern such as {pattern}. It has:\n{inside}"
        )
    return files


def _files_in(folder: Path) -> list[Path]:
    return _record_files(list_all_but_litter(folder))


def _record_files(entries: Sequence[Path]) -> list[Path]:
    return [entry for entry in entries if _is_record_file(entry) and entry.is_file()]


def _downloaded(files: list[Path]) -> list[Path]:
    for file in files:
        with open_file(file) as opened:
            if is_lfs_pointer(opened.read(64)):
                raise DataError(
                    f"data.path: {readable(str(file))} is a pointer that Git LFS left in place of the file: "
                    "run git lfs pull"
                )
    return files


def _is_record_file(path: Path) -> bool:
    name = path.name.lower()
    return not _is_label_file(path) and (any(ending in name for ending in _ENDINGS) or bool(_SHARD.search(name)))


def _is_label_file(path: Path) -> bool:
    return path.name.endswith("labels.txt")


def _check_complete(files: Sequence[Path]) -> None:
    """Refuse a numbered set with missing parts, which nobody would notice otherwise."""
    sets: dict[tuple[str, str, int], set[int]] = {}
    for file in files:
        shard = _SHARD.search(file.name)
        if shard:
            key = (file.name[: shard.start()], file.name[shard.end() :], int(shard[2]))
            sets.setdefault(key, set()).add(int(shard[1]))
    missing = [
        f"{start}-{number:05}-of-{n_files:05}{end}"
        for (start, end, n_files), numbers in sets.items()
        for number in sorted({*range(n_files)} - numbers)
    ]
    if missing:
        raise DataError(
            f"data.path: {len(missing)} files of a numbered set are not there: copy them, or say with a pattern which "
            f"to use:\n{some_of(missing)}"
        )


def read_label_names(files: Sequence[Path]) -> dict[int, str]:
    """Return names by number from ``labels.txt`` or ``*.labels.txt`` beside record files, or in their parent folder.

    Empty if there is none.

    Raises:
        DataError: If there are several such files that differ, or one cannot be understood.
    """
    folders = sorted({common_folder(files), *(file.parent for file in files)})
    found = {folder: names for folder in folders if (names := _label_names_in(folder))}
    for folder, names in found.items():
        if names != next(iter(found.values())):
            raise DataError(
                f"data.path: {readable(str(folder))} and {readable(str(next(iter(found))))} have different files of "
                "class names: leave one"
            )
    return next(iter(found.values()), {})


def _label_names_in(folder: Path) -> dict[int, str]:
    files = [entry for entry in list_all_but_litter(folder) if _is_label_file(entry)]
    if not files:
        return {}
    if len(files) > 1:
        found = ", ".join(readable(file.name) for file in files)
        raise DataError(f"{readable(str(folder))}: there are several files of class names ({found}): leave one")
    where = readable(str(files[0]))
    try:
        lines = read_text_file(files[0]).decode("utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(f"{where}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: cannot be read as UTF-8 text ({error}): save it as UTF-8") from None
    lines = [line.strip() for line in lines if line.strip()]
    numbered = [re.fullmatch(r"(\d+):(.+)", line) for line in lines]
    pairs = (
        [(int(match[1]), match[2].strip()) for match in numbered if match] if all(numbered) else list(enumerate(lines))
    )
    names = dict(pairs)
    if len(names) < len(pairs) or len(set(names.values())) < len(names):
        raise DataError(f"{where}: has a number or a name twice: give each class a line of its own")
    return names
