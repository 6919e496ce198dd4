"""Which TFRecord files a path means, which split each is, and the names of classes beside them."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

from search.data.examples import SPLIT_WORDS, DataError, SplitName, check_file, readable, some_of
from search.data.sources.folder import list_folder
from search.regular_files import read_text_file, user_path

_ENDINGS = (".tfrecord", ".tfrecords", ".tfrec")
_SHARD = re.compile(r"-(\d+)-of-(\d+)")


def find_record_files(path: str) -> list[Path]:
    """The files that a folder, a pattern or a file's path means, sorted.

    Raises:
        DataError: If there are none, or a folder lacks some of a numbered set.
    """
    top = user_path(path)
    if top.is_file():
        return [top]
    if top.exists() and not top.is_dir():
        check_file(top)
    if glob.has_magic(path) and not top.exists():
        found = [Path(name) for name in sorted(glob.glob(str(top)))]
        files = [file for file in found if file.is_file() and not _is_label_file(file)]
        if not files:
            raise DataError(f"data.path: no file fits the pattern {path!r} (looked for in {os.getcwd()}): correct it")
        return files
    entries = list_folder(top)
    files = [entry for entry in entries if entry.is_file() and _is_record_file(entry)]
    if not files:
        inside = some_of([readable(entry.name) for entry in entries], 5) if entries else "  nothing"
        raise DataError(
            f"data.path: {readable(str(top))} has no TFRecord files: their names have .tfrecord in them, or end "
            f"in -00000-of-00001; for others give a pattern such as {path}/*.bin. It has:\n{inside}"
        )
    _check_complete(files)
    return files


def _is_record_file(path: Path) -> bool:
    name = path.name.lower()
    return not _is_label_file(path) and (any(ending in name for ending in _ENDINGS) or bool(_SHARD.search(name)))


def _is_label_file(path: Path) -> bool:
    return path.name.endswith("labels.txt")


def _check_complete(files: Sequence[Path]) -> None:
    """Refuse a set of which a part is missing: nobody would notice."""
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


def split_of(path: Path) -> SplitName | None:
    """The split that a file's name says, as in ``train-00000-of-00002`` or ``flowers-test.tfrecord-00000-of-00001``."""
    words = [word for word in re.split(r"[^a-z]+", path.name.lower()) if word in SPLIT_WORDS]
    return SPLIT_WORDS[words[-1]] if words else None


def read_label_names(folder: Path) -> dict[int, str]:
    """Names by number from ``labels.txt`` or ``*.labels.txt`` in a folder; empty if there is none.

    Raises:
        DataError: If there are several such files, or one cannot be understood.
    """
    files = [entry for entry in list_folder(folder) if _is_label_file(entry)]
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
        raise DataError(f"{where}: cannot be read as UTF-8 text ({error})") from None
    lines = [line.strip() for line in lines if line.strip()]
    numbered = [re.fullmatch(r"(\d+):(.+)", line) for line in lines]
    pairs = (
        [(int(match[1]), match[2].strip()) for match in numbered if match] if all(numbered) else list(enumerate(lines))
    )
    names = dict(pairs)
    if len(names) < len(pairs) or len(set(names.values())) < len(names):
        raise DataError(f"{where}: has a number or a name twice: give each class a line of its own")
    return names
