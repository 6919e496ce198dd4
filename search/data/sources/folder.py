"""A folder of images with a folder for each class, already split or not."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from search.data.examples import DataError, EncodedFile, Examples, SplitName, readable, some_of, split_named
from search.data.sources.source import FileSource
from search.regular_files import user_path

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif", ".jp2")
_MARKS = ("study.json", "data/contact_sheet.png", "tfrecords")  # one of them is in the results of any study
_LITTER = {"thumbs.db", "desktop.ini", "__macosx", "ehthumbs.db", "icon\r"}


class FolderSource(FileSource):
    """Images as ``path/CLASS/FILE`` or ``path/{train,validation,test}/CLASS/FILE``.

    Attributes:
        path: Relative paths start at the current folder. ``training`` or ``train_set`` mean train, ``valid`` and
            ``val`` validation, ``testing`` or ``test_set`` test, in any case.
    """

    source: Literal["folder"]
    path: str

    def check_files(self) -> None:
        list_folder(user_path(self.path))

    def find(self) -> Examples:
        top = user_path(self.path)
        folders = _split_folders(top)
        rows = [
            (split, class_folder.name, file)
            for split, folder in folders
            for class_folder in _class_folders(folder)
            if not self.classes or readable(class_folder.name) in self.classes
            for file in _files(class_folder)
        ]
        names = sorted({folder.name for _, parent in folders for folder in _class_folders(parent)})
        numbers = {name: number for number, name in enumerate(names)}
        return Examples(
            names=[readable(str(file)) for _, _, file in rows],
            labels=np.array([numbers[name] for _, name, _ in rows], dtype=np.int64),
            class_names=[readable(name) for name in names],
            content=[EncodedFile(str(file)) for _, _, file in rows],
            splits=[split for split, _, _ in rows if split] if folders[0][0] else None,
        )


def list_folder(folder: Path) -> list[Path]:
    """What is in a folder, sorted, without hidden files, what desktops leave behind, and tunefront's own results.

    Raises:
        DataError: If there is no such folder, or it cannot be read.
    """
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError:
        raise DataError(
            f"data.path: there is no folder {readable(str(folder))!r} (looked for in {os.getcwd()}): correct the path"
        ) from None
    except NotADirectoryError:
        raise DataError(f"data.path: {readable(str(folder))!r} is no folder: name the folder of the classes") from None
    except OSError as error:
        raise DataError(
            f"data.path: the folder {readable(str(folder))!r} cannot be read ({error.strerror}): "
            "give this user the right to, or name another"
        ) from None
    seen = [entry for entry in entries if not entry.name.startswith(".") and entry.name.lower() not in _LITTER]
    return [entry for entry in seen if not _is_results(entry)]


def _split_folders(top: Path) -> list[tuple[SplitName | None, Path]]:
    """The folders that hold class folders, with the split that each stands for."""
    folders = [entry for entry in list_folder(top) if entry.is_dir()]
    splits = {folder: split for folder in folders if (split := split_named(folder.name))}
    if "train" not in splits.values() or _are_classes(folders, splits):
        return [(None, top)]
    others = [readable(folder.name) for folder in folders if folder not in splits]
    if others:
        raise DataError(
            f"data.path: {readable(str(top))} has a folder for training, and so is split, but also {others[0]!r}"
            f"{f' and {len(others) - 1} more' if len(others) > 1 else ''}, which is no split: "
            "only train (or training), validation (valid, val) and test (testing) can be there. Move it away"
        )
    if len(set(splits.values())) < len(splits):
        raise DataError(f"data.path: {readable(str(top))} has several folders for one split: leave one")
    return [(split, folder) for folder, split in splits.items()]


def _are_classes(folders: Sequence[Path], splits: Mapping[Path, SplitName]) -> bool:
    """Whether folders with the name of a split are classes, such as bus, car and train.

    There are others beside them, and none of them has folders in it.
    """
    return len(splits) < len(folders) and not any(entry.is_dir() for folder in splits for entry in list_folder(folder))


def _is_results(folder: Path) -> bool:
    """Whether a folder is that of tunefront's own results, which lies in the current one as its data may."""
    if folder.name != "results" or not folder.is_dir():
        return False
    return any((study / mark).exists() for study in folder.iterdir() for mark in _MARKS)


def _class_folders(parent: Path) -> list[Path]:
    entries = list_folder(parent)
    loose = [readable(str(file)) for file in entries if file.suffix.lower() in IMAGE_ENDINGS and not file.is_dir()]
    folders = [entry for entry in entries if entry.is_dir()]
    if not folders:
        raise DataError(
            f"data.path: {readable(str(parent))} has no folders in it, and needs one for each class, "
            "with the images of that class"
        )
    if loose:
        raise DataError(
            f"data.path: {len(loose)} images lie beside the class folders and so have no class. "
            f"Move each into the folder of its class:\n{some_of(loose)}"
        )
    return folders


def _files(class_folder: Path) -> list[Path]:
    files = list_folder(class_folder)
    if not files:
        raise DataError(
            f"data.path: the class folder {readable(str(class_folder))} has no image in it: "
            "add some, remove it, or name the classes to use with classes = [...]"
        )
    inner = [file for file in files if file.is_dir()]
    if inner:
        raise DataError(
            f"data.path: {readable(str(inner[0]))} is a folder inside a class folder. Images lie as "
            "path/CLASS/FILE or path/{train,validation,test}/CLASS/FILE: move them up"
        )
    return files
