"""The entries of a folder of data, without those that nobody put there as data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tunefront.search.data.examples import DataError, readable
from tunefront.search.data.sources.image_names import has_image_ending
from tunefront.search.data.sources.tunefront_output import CONTACT_SHEET, is_output

_LITTER = {"thumbs.db", "desktop.ini", "__macosx", "ehthumbs.db", "icon\r"}


def list_folder(folder: Path) -> list[Path]:
    """Return a folder's entries, sorted, without hidden files, files that desktops leave, and tunefront's own folders.

    Raises:
        DataError: If there is no such folder, or it cannot be read.
    """
    return [path for path, is_folder in _list_entries(folder) if not (is_folder and is_output(path))]


def list_all_but_litter(folder: Path) -> list[Path]:
    """Return what :func:`list_folder` returns, and tunefront's own folders too."""
    return [path for path, _ in _list_entries(folder)]


def images_below(folder: Path) -> Iterator[str]:
    """Yield the paths of all image files in a folder and those in it. Links to folders are not followed."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_litter(name) and not is_output(Path(place) / name)]
        yield from (os.path.join(place, name) for name in names if is_image(name) and not _is_litter(name))


def is_image(name: str) -> bool:
    """Return whether a file's name is that of an image, and not that of the sheet that ``tunefront data`` writes."""
    return has_image_ending(name) and name != CONTACT_SHEET


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LITTER


def _list_entries(folder: Path) -> list[tuple[Path, bool]]:
    """Return each entry, and whether it is a folder, without opening each file of a large folder."""
    shown = readable(str(folder))
    try:
        with os.scandir(folder) as entries:
            seen = sorted(
                (entry.name, os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir())
                for entry in entries
                if not _is_litter(entry.name)
            )
    except FileNotFoundError:
        raise DataError(
            f"data.path: there is no folder {shown!r} (looked for in {os.getcwd()}): correct the path"
        ) from None
    except NotADirectoryError:
        raise DataError(f"data.path: {shown!r} is no folder: name the folder of the classes") from None
    except OSError as error:
        raise DataError(
            f"data.path: the folder {shown!r} cannot be read ({error.strerror}): "
            "give this user the right to, or name another"
        ) from None
    return [(folder / name, is_folder) for name, is_folder in seen]
