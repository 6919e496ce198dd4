"""A folder of images with a folder for each class, already split or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from tunefront.search.data.examples import EncodedFile, Examples, readable, split_named
from tunefront.search.data.sources.folders.entries import list_folder
from tunefront.search.data.sources.folders.layout import find_class_folders, image_files
from tunefront.search.data.sources.source import FileSource
from tunefront.search.data.sources.split_names import split_in
from tunefront.search.system.regular_files import user_path


class FolderSource(FileSource):
    """The source of images stored as ``path/CLASS/FILE`` or ``path/{train,validation,test}/CLASS/FILE``.

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
        chosen = {name.strip() for name in self.classes}
        folders = find_class_folders(top, chosen)
        rows = [
            (split, class_folder.name, file)
            for split, class_folder in folders
            if not chosen or _class_name(class_folder) in chosen
            for file in image_files(class_folder, top)
        ]
        names = sorted({folder.name for _, folder in folders})
        numbers = {name: number for number, name in enumerate(names)}
        is_split = folders[0][0] is not None
        return Examples(
            names=[readable(str(file)) for _, _, file in rows],
            labels=np.array([numbers[name] for _, name, _ in rows], dtype=np.int64),
            class_names=[readable(name) for name in names],
            content=[EncodedFile(str(file)) for _, _, file in rows],
            splits=[split for split, _, _ in rows if split] if is_split else None,
            notes={} if is_split else _note_names_of_splits([readable(name) for _, name, _ in rows], chosen),
        )


def _note_names_of_splits(names: Sequence[str], chosen: Collection[str]) -> dict[str, int]:
    """Count the images of classes that have the name of a split, and that the spec does not name as classes."""
    counts = Counter(name for name in names if name.strip() not in chosen)
    splits = {name: split for name in counts if (split := split_in(name))}
    is_sure = len(set(splits.values())) > 1  # true of train_images with test_images, but not of test_tubes
    return {
        f"images are in the folder {name!r}, which is taken as a class, not as a split": counts[name]
        for name in splits
        if is_sure or split_named(name)
    }


def _class_name(folder: Path) -> str:
    return readable(folder.name).strip()
